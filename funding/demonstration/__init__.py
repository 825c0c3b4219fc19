"""A labelled demonstration: fictional plans, organisations and people, the same on every load.

`worked_plan` is the plan whose every figure is known by hand; `regional_plan` is a fuller one; `people` are one login per role.
"""
