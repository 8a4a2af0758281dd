"""Explanations as pictures: what to draw (`sketch`), in words (`words`), and the process that draws (`easel`, `plots`)."""
