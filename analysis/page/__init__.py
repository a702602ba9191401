"""Pages and files made of findings: the report, exports, and the one look they have."""
