using System.Diagnostics;
using MLExtensions.Benchmarks;

if (args is [MemoryOfFit.ChildCommand, .. var childArguments])
    return MemoryOfFit.RunChild(childArguments);
if (args is [BusyMachine.ChildCommand])
    return BusyMachine.RunChild();
if (args is [MemoryOfText.ChildCommand, .. var textArguments])
    return MemoryOfText.RunChild(textArguments);
if (args is [RankChild.Command, .. var rankArguments])
    return RankChild.Run(rankArguments);
if (args is [MarkovTraining.ChildCommand, .. var markovArguments])
    return MarkovTraining.RunChild(markovArguments);
if (args is [StreamedEpoch.ChildCommand, .. var streamingArguments])
    return StreamedEpoch.RunChild(streamingArguments);

IBenchmark[] benchmarks =
[
    new TrainingThroughput(),
    new WholeFit(),
    new BFloat16Training(),
    new BatchedEvaluation(),
    new SingleRowPrediction(),
    new EngineScoring(),
    new LiveTensors(),
    new MemoryOfFit(),
    new ImageTraining(),
    new ImageScoring(),
    new BusyMachine(),
    new ImageFolderTraining(),
    new LargeNetworks(),
    new OptimizerStep(),
    new DataReading(),
    new LanguageModelEpochs(),
    new MemoryOfText(),
    new TextGeneration(),
    new SequenceToSequenceThroughput(),
    new BoltzmannTraining(),
    new GanThroughput(),
    new DqnThroughput(),
    new StyleOptimization(),
    new FeedForwardStyle(),
    new MarkovTraining(),
    new NeighborSearch(),
    new EmbeddingThroughput(),
    new RankTraining(),
    new RankScaling(),
    new StreamedEpoch(),
];

BenchmarkSettings settings;
IBenchmark[] selected;
try
{
    settings = BenchmarkSettings.Parse(args);
    selected = Select(benchmarks, settings.Names);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

MLExtensions.TorchRuntime.Initialize();
// Only the benchmark of engines scores with ONNX Runtime: the others compare with loops of libtorch.
AppContext.SetSwitch("MLExtensions.NoOnnxRuntime", true);
if (settings.Profile)
{
    StepProfile.Print(settings);
    return 0;
}

var rows = new List<ResultRow>();
foreach (var benchmark in selected)
{
    var watch = Stopwatch.StartNew();
    Console.Error.Write($"{benchmark.Name} ...");
    rows.AddRange(benchmark.Run(settings));
    Console.Error.WriteLine(FormattableString.Invariant($" {watch.Elapsed.TotalSeconds:F0} s"));
}
Console.WriteLine($"{Environment.ProcessorCount} cores, {settings.Rounds} rounds in turns, ratios of medians (and of best rounds); rates are medians (and bests).");
TextTable.Print(Console.Out, ["what", "asked", "measured", "details"], rows.Select(row => new[] { row.What, row.Asked, row.Measured, row.Details }));
return 0;

static IBenchmark[] Select(IBenchmark[] all, IReadOnlyList<string> names)
{
    var known = all.Select(benchmark => benchmark.Name).ToArray();
    if (names.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        throw new ArgumentException($"There is no benchmark '{unknown}'; there are {string.Join(", ", known)}.");
    return names.Count == 0 ? all.Where(benchmark => !benchmark.IsRare).ToArray() : all.Where(benchmark => names.Contains(benchmark.Name)).ToArray();
}
