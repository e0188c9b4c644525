"""How each system is read and changed: one module or package per system, each behind `retention.contract.Connector`."""
