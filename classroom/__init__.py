"""The classroom: sheets, what is handed out, and the grading of what comes back.

`python -m classroom build` makes the notebooks, rubrics and packages of every sheet;
`python -m classroom grade formulation submissions/ --out grades/` grades a class on one machine.
"""
