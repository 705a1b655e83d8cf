"""The scopes a client can be given: `<noun>:<read|write>`."""

from __future__ import annotations

SCOPES: dict[str, str] = {
    "programs:read": "Read programs (事業)",
    "areas:read": "Read research areas (技術領域)",
    "projects:read": "Read projects (課題)",
    "plans:read": "Read approved plans (業務計画書)",
    "milestones:read": "Read milestones of projects",
    "trl-assessments:read": "Read levels of technology readiness (TRL)",
    "allocations:read": "Read approved allocations (配分)",
    "gate-reviews:read": "Read gate reviews once their decision is released (ゲート評価)",
    "decisions:read": "Read released decisions on gates (決定)",
    "budget-lines:read": "Read budget lines (予算額)",
    "indicators:read": "Read indicators and their targets (成果目標)",
    "observations:read": "Read observations of indicators",
    "observations:write": "Send observations of indicators",
    "reports:read": "Read accepted progress reports (進捗報告)",
}
