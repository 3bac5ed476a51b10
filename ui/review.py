"""The review as Streamlit runs it: `geosleuth curate review FOLDER --reviewer NAME`.

A script of its own beside ui/chat.py: the chat's page starts an agent, its models and people's cases; a review needs
none of them, is there at once, and has another person's name on it. Started by `streamlit run`, see ui/chat.py.
"""

from geosleuth.ui.page.own_address import ask_nobody_for_our_address
from geosleuth.ui.page.page_log import begin_log
from geosleuth.ui.page.review.app import show_page

begin_log()
ask_nobody_for_our_address()
show_page()
