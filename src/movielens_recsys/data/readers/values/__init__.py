"""From the text of fields to their values: ids, ratings and times, each read or said to be unreadable."""
