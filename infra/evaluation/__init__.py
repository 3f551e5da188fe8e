"""Turn questions into scores: an engine answers, outside scorers rate, the objective scores, the records keep it.

The way is one: `groups` finds a group in the records or has `evaluator` make it, which asks the engine, has the scorers
rate, scores and saves. What is evaluated together is an `Evaluable`: recipes (`recipes`), or systems (`infra.systems`).

From outside: `groups.EvaluationGroups`, `evaluator`, `recipes`, `inputs.RunInputs`, `subject.Subject`.
May import: observing, configs, scorers, engines, records, files, settings, and what is below infra.
"""
