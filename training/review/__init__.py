"""People's judgements of what teachers and models wrote: queues, decisions, agreement, exchange with Label Studio.

item, scales, decision   what is judged, by which measure, and what a person says of it
folder, queueing         a review on disk, and how it is made
decisions_file           one append-only file a reviewer
standing, assignment     what counts of it, and who is asked next
outcome, agreement, report   what becomes of an item, and how far reviewers agree
exchange, label_studio_tasks, label_studio_answers   other places where people decide
"""
