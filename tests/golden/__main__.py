"""`make golden`: write every golden file anew. The snapshots of a shipped version are written once and never again."""

from infra.grafana.dashboard import DASHBOARD_FILE, dashboard
from tests.domain.decoders import golden_cases
from tests.golden.drawings import FLOWS_PAGE, STEP_IDS, flows_page, step_ids
from tests.golden.reference import REFERENCE_PAGE, reference_page
from tests.golden.snapshot import write_snapshots

FLOWS_PAGE.write_text(flows_page(), encoding="utf-8")
REFERENCE_PAGE.write_text(reference_page(), encoding="utf-8")
DASHBOARD_FILE.write_text(dashboard(), encoding="utf-8")
STEP_IDS.write_text(step_ids(), encoding="utf-8")
golden_cases.rewrite()
write_snapshots()
print("golden files written; read the diff")
