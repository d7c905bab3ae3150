"""What the tools' scripts share: where the database is, and how a result is shown.

real_tools_test.go sets PGHOST and the like, and compares what two runs print.
"""

import os


def url(driver):
    return "postgresql+{}://{}:{}@{}:{}/{}".format(
        driver, os.environ["PGUSER"], os.environ["PGPASSWORD"], os.environ["PGHOST"], os.environ["PGPORT"], os.environ["PGDATABASE"]
    )


def show(name, value):
    print(f"## {name}\n{value}", flush=True)
