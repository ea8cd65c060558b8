"""Wrong answers."""

from classroom.mutants import mutant


@mutant("double", by="random_vectors", slip="squares the vector", listed=True)
def squares(x):
    return x**2


@mutant("half", by="random_numbers", slip="divides without a remainder", listed=True)
def floors(x):
    return x // 2
