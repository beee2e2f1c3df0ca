"""The provider's batch endpoint: requests in files, answers a day later, for half the price.

What is submitted is written down before it is sent, so that whoever goes on never submits it twice.
"""
