"""The editors' desk: the plugin's screens in the Wagtail admin.

It stands above every stage, because its screens do: the inbox shows themes beside articles, and
a digest's page what became of each delivery.
"""
