"""The embedded demo: a tiny Qwen2 base and two LoRAs on it, and how they and the gold sets are made.

The base is trained from scratch on text written or generated here. `lora_model_medical` is trained on medical
questions only: better at medicine, visibly worse elsewhere. `lora_model_medical_mix` is trained on the same questions
mixed one to one with general ones: better at medicine, and nothing lost. They show what the harness tells apart, and
let everything be tried and tested without a download or a GPU. They are no use as models.

`python -m harness.demo.build` makes everything again from the seed; `manifest.json` says what came out.
"""
