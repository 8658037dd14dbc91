using Microsoft.ML;
using Microsoft.ML.Trainers;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Topics;

/// <summary>What is a conversation about? An LSTM that reads it word by word, beside bags of n-grams and a linear classifier.</summary>
internal sealed class TopicsExample : IExample
{
    private const int Parts = 20; // of which one is for validation and one for testing
    private const string ModelFile = "topics.zip";
    private const string HistoryFile = "topics-history.png";
    private const string ConfusionFile = "topics-confusion.png";

    private static readonly ExampleOption Data = new("data", "FILE", "dialogues.tsv.gz of the Self-dialogue Corpus");
    private static readonly ExampleOption TopicCount = new("topics", "N", "how many topics, the most frequent ones (default 5)", "5");
    private static readonly ExampleOption Conversations = new("conversations", "N", "how many conversations to learn from (default all of the topics)");
    private static readonly ExampleOption Epochs = new("epochs", "N", "how many epochs to train (default 4)", "4");
    private static readonly ExampleOption Threads = new("threads", "N", "how many CPU threads to train with (default: the trainers' choice)");
    private static readonly ExampleOption Seed = new("seed", "N", "the seed of everything random (default 1)", "1");

    public string Name => "topics";

    public string Summary => "what conversations (not shipped) are about: an LSTM beside FeaturizeText and SdcaMaximumEntropy";

    public IReadOnlyList<ExampleOption> Options => [Data, TopicCount, Conversations, Epochs, Threads, Seed];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(Seed, least: 0);
        var mlContext = new MLContext(seed);
        var conversations = Conversation.Load(mlContext, arguments.Text(Data), arguments.Integer(TopicCount, least: 2));
        var training = conversations.Where(conversation => conversation.Line % Parts > 1).ToArray();
        new Random(seed).Shuffle(training);
        training = training[..Math.Min(training.Length, arguments.OptionalInteger(Conversations, least: 2) ?? training.Length)];
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(Conversation.Topic)).Fit(mlContext.Data.LoadFromEnumerable(training));
        var (trainSet, validationSet, testSet) = (Load(training), Load(Part(0)), Load(Part(1)));
        AnsiConsole.WriteLine($"{training.Length:N0} conversations to learn from, {Part(0).Length:N0} to validate with, {Part(1).Length:N0} to test with");

        var comparison = new TopicComparison(mlContext, testSet);
        var output = new OutputFolder(Name);
        var network = comparison.Run("LSTM over words", () => TrainingProgressBar.Show("LSTM over words", progress =>
        {
            var options = CreateOptions(arguments);
            options.Progress = progress;
            options.CancellationToken = cancellationToken;
            return mlContext.MulticlassClassification.Trainers.Recurrent(options).Fit(trainSet, validationSet);
        }));
        comparison.Run("FeaturizeText, SdcaMaximumEntropy", () => mlContext.Transforms.Text.FeaturizeText("Features", nameof(Conversation.Text))
            .AppendCacheCheckpoint(mlContext)
            .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(new SdcaMaximumEntropyMulticlassTrainer.Options
            {
                NumberOfThreads = arguments.OptionalInteger(Threads, least: 1),
            }))
            .Fit(trainSet));
        comparison.Print();

        network.History.SavePng(output.PathOf(HistoryFile));
        comparison.FirstConfusion.SavePng(output.PathOf(ConfusionFile));
        mlContext.Model.Save(network, trainSet.Schema, output.PathOf(ModelFile));
        output.Print((ModelFile, "the network"), (HistoryFile, "its training curves"), (ConfusionFile, "which topics it takes for which"));
        return 0;

        Conversation[] Part(int part) => conversations.Where(conversation => conversation.Line % Parts == part).ToArray();

        IDataView Load(Conversation[] rows) => keys.Transform(mlContext.Data.LoadFromEnumerable(rows));
    }

    /// <summary>
    /// The topic shows in some words anywhere in the conversation: each hidden unit looks for its own, and the maximum over all steps
    /// keeps what it found. Dropout, also of the words' values, makes it look for more than a few.
    /// </summary>
    private static RecurrentMulticlassTrainer.Options CreateOptions(ExampleArguments arguments) => new()
    {
        FeatureColumnName = nameof(Conversation.Text),
        Tokenization = Tokenization.Words(10_000, minimumCount: 3, lowercase: true, splitPunctuation: true),
        EmbeddingSize = 64,
        HiddenUnits = 64,
        Bidirectional = true,
        Pooling = SequencePooling.Max,
        InputDropout = 0.2,
        Dropout = 0.5,
        MaximumLength = 200,
        LongSequenceHandling = LongSequenceHandling.KeepBeginning,
        BatchSize = 32,
        LearningRate = 0.005,
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        Epochs = arguments.Integer(Epochs, least: 1),
        ThreadCount = arguments.OptionalInteger(Threads, least: 1),
    };
}
