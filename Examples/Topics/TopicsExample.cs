using Microsoft.ML;
using Microsoft.ML.Trainers;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Topics;

/// <summary>What is a conversation about? An LSTM that reads it word by word, compared with n-gram counts and a linear classifier.</summary>
internal sealed class TopicsExample : IExample
{
    private const int Parts = 20; // of which one is for validation and one for testing
    private const string ModelFile = "topics.zip";
    private const string HistoryFile = "topics-history.png";
    private const string ConfusionFile = "topics-confusion.png";

    private static readonly ExternalData Data = new("The Self-dialogue Corpus", "data", "FILE", "The file dialogues.tsv.gz of the Self-dialogue Corpus.", "selfdialogue/dialogues.tsv.gz");
    private static readonly ExampleOption TopicCount = new("topics", "N", "Number of topics, the most frequent ones.", "5");
    private static readonly ExampleOption Conversations = new("conversations", "N", "Number of training conversations.", DefaultText: "all of the topics");
    private static readonly ExampleOption Epochs = new("epochs", "N", "Number of passes over the training data.", "4");

    public string Name => "topics";

    public ExampleHelp Help => new(
        "Compares an LSTM with FeaturizeText and SdcaMaximumEntropy at telling what conversations are about.",
        $"{Data}",
        "not measured with the defaults; several minutes of one core with --conversations 4000 --epochs 3",
        $"{ModelFile} (the network), {HistoryFile} (its training curves), {ConfusionFile} (which topics it mistakes for which) and a checkpoint folder for --resume");

    public IReadOnlyList<ExampleOption> Options => [Data.Option, TopicCount, Conversations, Epochs, ExampleOption.Resume, ExampleOption.Threads, ExampleOption.Seed];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seed = arguments.Integer(ExampleOption.Seed, least: 0);
        var mlContext = new MLContext(seed);
        var conversations = Conversation.Load(mlContext, Data.Find(arguments), arguments.Integer(TopicCount, least: 2));
        var training = conversations.Where(conversation => conversation.Line % Parts > 1).ToArray();
        new Random(seed).Shuffle(training);
        training = training[..Math.Min(training.Length, arguments.OptionalInteger(Conversations, least: 2) ?? training.Length)];
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(Conversation.Topic)).Fit(mlContext.Data.LoadFromEnumerable(training));
        var (trainSet, validationSet, testSet) = (Load(training), Load(Part(0)), Load(Part(1)));
        AnsiConsole.WriteLine($"{training.Length:N0} conversations for training, {Part(0).Length:N0} for validation, {Part(1).Length:N0} for testing");

        var comparison = new TopicComparison(mlContext, testSet);
        var output = new OutputFolder(Name);
        var options = CreateOptions(arguments);
        options.Progress = new ConsoleProgress("LSTM over words");
        options.CancellationToken = cancellationToken;
        output.KeepEpochs(options, "lstm", arguments);
        var network = comparison.Run("LSTM over words", "lstm", () => mlContext.MulticlassClassification.Trainers.Recurrent(options).Fit(trainSet, validationSet));
        comparison.Run("FeaturizeText, SdcaMaximumEntropy", "sdca", () => mlContext.Transforms.Text.FeaturizeText("Features", nameof(Conversation.Text))
            .AppendCacheCheckpoint(mlContext)
            .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(new SdcaMaximumEntropyMulticlassTrainer.Options
            {
                NumberOfThreads = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
            }))
            .Fit(trainSet));
        var result = comparison.Print();

        network.History.SavePng(output.PathOf(HistoryFile));
        comparison.FirstConfusion.SavePng(output.PathOf(ConfusionFile), testSet.Schema["Label"]);
        mlContext.Model.Save(network, trainSet.Schema, output.PathOf(ModelFile));
        output.Print((ModelFile, "the network"), (HistoryFile, "its training curves"), (ConfusionFile, "which topics it mistakes for which"));
        return result;

        Conversation[] Part(int part) => conversations.Where(conversation => conversation.Line % Parts == part).ToArray();

        IDataView Load(Conversation[] rows) => keys.Transform(mlContext.Data.LoadFromEnumerable(rows));
    }

    /// <summary>
    /// The topic shows in some words anywhere in the conversation: each hidden unit looks for some of them, and the maximum over all time
    /// steps keeps what it found. Dropout, also on the embeddings, makes it look for more than a few words.
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
        ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
    };
}
