"""The search for the lowest minimum: many candidates for a few steps, few of them to the end."""
