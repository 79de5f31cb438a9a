"""How fast multikeras is, beside Keras 3 and beside the bare frameworks.

`python -m benchmarks` measures the rows of the speed budgets and prints a table. `case.py` says
what a case and a budget are, `cases/` holds one short file for each, `run.py` starts a process for
each contender and takes turns between them, `table.py` prints. Numbers of one run may be compared
with each other, not with those of another run: so nothing here passes or fails.
"""
