"""What is kept of a render: the release's folder and manifest, the ledger, signatures, approvals and withdrawals."""

from evalkit.publish.release._crate import CITATION, CRATE, cited
from evalkit.publish.release._ingredients import Change, digest
from evalkit.publish.release._keys import SIGNATURE
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._lines import WITHDRAWALS, kept_withdrawals, withdrawals_beside, withdrawn
from evalkit.publish.release._manifest import MANIFEST, is_of_before_ledgers, read_manifest
from evalkit.publish.release._release import exchange, study_lock
from evalkit.publish.release._standing import release_name

__all__ = [
    "CITATION",
    "CRATE",
    "MANIFEST",
    "SIGNATURE",
    "WITHDRAWALS",
    "Change",
    "Ledger",
    "cited",
    "digest",
    "exchange",
    "is_of_before_ledgers",
    "kept_withdrawals",
    "read_manifest",
    "release_name",
    "study_lock",
    "withdrawals_beside",
    "withdrawn",
]
