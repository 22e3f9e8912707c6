"""Models behind the OpenAI protocol: asked many at a time, at the pace that the server keeps."""
