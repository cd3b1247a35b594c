"""Evaluates compiled rules on readings and gives verdicts. Pure."""
