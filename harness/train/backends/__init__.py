"""What trains: TRL with PEFT anywhere, Unsloth on a GPU; one Protocol."""
