"""How to reason with the tools: one belief, a planner, a loop, an answer."""
