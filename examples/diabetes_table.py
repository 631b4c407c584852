"""A table of 442 patients: how far a disease goes within a year, with intervals and a report.

python examples/diabetes_table.py
"""

from pathlib import Path

import fitwell as fw


def main(folder: Path | None = None) -> dict[str, float]:
    """Returns the RMSE of network and linear regression, and the measured coverage.

    The report goes into `folder`, or where the program runs.
    """
    prepared = fw.tabular.prepare("sklearn:diabetes", seed=0)
    model = fw.tabular.fit(prepared, fw.tabular.build(prepared), verbose=0)
    network = model.facts["scores"]["RMSE"]
    linear = model.facts["baselines"]["linear regression"]["RMSE"]
    print(f"RMSE of the network: {network:.1f}, of linear regression: {linear:.1f}")

    table = fw.data.read("sklearn:diabetes").frame.head(3)
    print(model.predictions(table, coverage=0.9))

    page = fw.report.write((folder or Path()) / "diabetes.html", model, prepared)
    print(f"all about it: {page}")
    coverage = model.facts["interval"]["measured"]
    return {"network": network, "linear": linear, "coverage": coverage}


if __name__ == "__main__":
    main()
