"""`harness bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_INCOMPLETE, EXIT_OK


@options.asks(without={"engine", "repeats", "temperature", "prompt"})
def serving(
    candidate: Annotated[
        list[str], typer.Argument(metavar="CANDIDATE...", help="Deployments, as for compare; others against the first.")
    ],
    suite: options.SuiteName,
    concurrency: Annotated[
        str, typer.Option("--concurrency", metavar="N,N…", help="Requests in flight, one level after the other.")
    ] = "1,8,64",
    requests: Annotated[
        int | None,
        typer.Option(
            "--requests", metavar="N", help="In a round at one level [default: 4 for each in flight, 20 or more]."
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", help="How often each level is measured; intervals stand on them.")
    ] = 5,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", help="Of an answer under load [default: as tasks say].")
    ] = None,
    ignore_eos: Annotated[
        bool, typer.Option("--ignore-eos", help="Answers under load go on to --max-tokens (vLLM, llama.cpp, SGLang).")
    ] = False,
    repeat_prompts: Annotated[
        bool, typer.Option("--repeat-prompts", help="Do not mark questions: prefix caches may answer for the server.")
    ] = False,
    quality: Annotated[bool, typer.Option(help="Ask the suite as well, and compare the answers.")] = True,
    *,
    asking: options.Asking,
    json: options.Json = None,
    markdown: options.Markdown = None,
    html: options.Html = None,
) -> int:
    """How fast do deployments of a model answer, and how well? Throughput, latencies and quality in one table.

    A deployment is openai:MODEL@URL or an entry with `endpoint:` (vLLM, llama.cpp, Ollama …). Weights that are here are
    served by vLLM for as long as it takes, or asked at the server that harness serve left standing. First every
    deployment is asked the suite, as by compare; then, in turns, questions of the suite at each concurrency. --limit is
    of the suite, --seed draws the load.

    Exit codes: 0 done; 2 wrong input, or one does not answer at all; 3 no request of some level succeeded, or too many
    answers to the suite failed.
    """
    from harness.bench.settings import LoadSettings, levels_of
    from harness.cli.bench_progress import BenchProgress
    from harness.cli.console import open_console
    from harness.cli.outputs import Outputs, quiet_stdout
    from harness.report.bench import render_bench, render_bench_html, render_bench_markdown
    from harness.report.words import words

    outputs = Outputs.of(json=json, markdown=markdown, html=html)
    settings = LoadSettings(
        concurrency=levels_of(concurrency),
        requests=requests,
        rounds=rounds,
        max_tokens=max_tokens,
        ignore_eos=ignore_eos,
        repeat_prompts=repeat_prompts,
        seed=asking.seed,
    )
    settings.check()
    request = asking.request(candidate, suite)
    from harness.bench.serving import bench_serving

    shown = BenchProgress(open_console(stderr=True), words(asking.language))
    try:
        with quiet_stdout(outputs.stdout):
            found = bench_serving(request, settings, shown, quality=quality)
    finally:
        shown.finished()
    outputs.write("--json", found.to_json())
    if "--markdown" in outputs.files:
        outputs.write("--markdown", render_bench_markdown(found, asking.language))
    if "--html" in outputs.files:
        outputs.write("--html", render_bench_html(found, asking.language))
    open_console(stderr=outputs.stdout).print(render_bench(found, asking.language))
    return EXIT_OK if found.complete else EXIT_INCOMPLETE
