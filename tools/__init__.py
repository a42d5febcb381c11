"""One file a tool family. A tool knows its own service and `tools.contract`, never the agent."""
