"""The page as Streamlit runs it: `geosleuth evaluate human`. Like ui/review.py it starts no agent."""

from geosleuth.ui.page.human.app import show_page

show_page()
