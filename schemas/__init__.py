"""The wire: what clients send and get, as pydantic models. Reads like the API's documentation."""
