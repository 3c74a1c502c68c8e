"""What is kept of a render: the release's folder and manifest, the ledger, signatures, approvals and withdrawals."""
