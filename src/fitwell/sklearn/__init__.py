"""Networks as estimators of scikit-learn: `NetClassifier`, `NetRegressor`, `NetTransformer`.

>>> from fitwell.sklearn import NetClassifier
>>> NetClassifier(epochs=20)
NetClassifier(epochs=20)
"""

from fitwell.sklearn.classifier import NetClassifier
from fitwell.sklearn.regressor import NetRegressor
from fitwell.sklearn.transformer import NetTransformer

__all__ = ["NetClassifier", "NetRegressor", "NetTransformer"]
