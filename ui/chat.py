"""The chat as Streamlit runs it: `geosleuth chat`, or `streamlit run ui/chat.py --server.address=127.0.0.1`.

What follows "--" is ours: `streamlit run ui/chat.py ... -- --settings geosleuth.toml --cases FOLDER`.

For several people `streamlit run ui/chat.py --server.address=0.0.0.0` needs `--server.allowedHosts`. Behind a proxy
that changes Host, name the page's origin in `server.corsAllowedOrigins`.

`streamlit run` serves before it runs this for the first visitor, and what is said here begins then: a foreign web page
that calls the server before anybody has opened the chat still makes Streamlit ask an outside host for this machine's
address. With `geosleuth chat` there is no such time.
"""

from geosleuth.ui.page.app import show_page
from geosleuth.ui.page.own_address import ask_nobody_for_our_address
from geosleuth.ui.page.page_log import begin_log

begin_log()
ask_nobody_for_our_address()
show_page()
