"""`marginwatch backtest`: which alerts rules would have raised over the recorded history."""
