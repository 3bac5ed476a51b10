"""The review as Streamlit runs it: `geosleuth curate review FOLDER --reviewer NAME`.

A script of its own beside ui/chat.py: the chat's page starts an agent, its models and people's cases; a review needs
none of them, is there at once, and has another person's name on it.
"""

from geosleuth.ui.page.review.app import show_page

show_page()
