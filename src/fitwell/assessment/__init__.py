"""How good a trained model is, and on what that rests: numbers without pictures.

Scores with intervals, curves, calibration, what columns matter, labels that look wrong. Pure
functions of arrays; `plots` draws them and `report` puts them on a page.
"""
