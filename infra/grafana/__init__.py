"""The dashboard of the pipeline as code, and how Grafana finds it."""
