"""How fast it is, against others, side by side in one run: `python -m tests.benchmarks`.

Absolute times mean little on a shared machine, so contenders take turns (A B C, A B C, ...) and
what is printed are ratios, round by round. To add a benchmark, write a module with a function
under `@benchmark(name)` that yields `Row`s, and name the module in `__main__.py`.

    rows             what is measured: a row of the table, its target and its verdict
    registry         the benchmarks by name, and what one run is asked to do
    samples          deliveries as a provider sends them
    corpora          capture files of so many rows
    contenders       servers, each in a process of its own (the child's side)
    processes        the same, the parent's side
    load paced       senders, in processes of their own: as fast as they are answered, or at a pace
    browser          a real JupyterLab with a headless Chromium; kernel_lab: a contender in it
    stage sightings  an inbox there, sent to at a pace; when its rows were seen
    world            events and snapshots of so many changes; collection: an API to poll
    peak             the most memory that something takes
    capture verifying busy memory inbox inbox_memory events find payloads csv_export compare poller
    imports
"""
