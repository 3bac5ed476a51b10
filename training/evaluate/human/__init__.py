"""People on the agent's photos: what they answer, kept as they answer it, and set beside the agent's answers.

answer, answer_file   what a person says of a photo; one file of all people, only ever added to
reading               what the words that a person types may mean
asked                 which photos a person has still to answer, in an order of that person's own
side_by_side          answers as the contract's rows, each beside the agent's of the same photo
error_types           who errs how: gave up, country, city, distance
agreement             how far two people agree
comparison, page      all of that as tables, and as HTML
"""
