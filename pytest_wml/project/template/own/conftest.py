"""What the tests share. Fixtures of pytest-wml can be overridden here; `pytest --fixtures` lists them.

A test in Python, for what the contract file cannot say, is a function in a file `test_….py` beside this one:

    def test_a_row_of_mine(wml_deployment, rows):
        assert wml_deployment.predict(rows).classes.tolist() == [1]
"""

# import numpy as np
# import pytest
#
#
# @pytest.fixture(scope="session")
# def rows():
#     return np.load("rows.npy")
