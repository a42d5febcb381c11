"""Who proposes the next call: rules or a model. Nothing here acts."""
