"""Obtains the programs that a machine without Pulumi's downloads lacks: the engine, its Python host, the products."""
