"""The page for people as Streamlit runs it: `geosleuth evaluate human`.

Here, since Streamlit reads the .streamlit beside a script. Like ui/review.py it starts no agent; see there.
"""

from geosleuth.ui.page.human.app import show_page
from geosleuth.ui.page.own_address import ask_nobody_for_our_address
from geosleuth.ui.page.page_log import begin_log

begin_log()
ask_nobody_for_our_address()
show_page()
