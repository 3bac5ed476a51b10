"""The chat as Streamlit runs it: `geosleuth chat`, or `streamlit run ui/chat.py --server.address=127.0.0.1`.

What follows "--" is ours: `streamlit run ui/chat.py ... -- --settings geosleuth.toml --cases FOLDER`.
"""

from geosleuth.ui.page.app import show_page

show_page()
