using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Features;
using MLExtensions.Tests.Forecasting;
using MLExtensions.Tests.Gan;
using MLExtensions.Tests.HiddenMarkov;
using MLExtensions.Tests.LanguageModels;
using MLExtensions.Tests.Loading;
using MLExtensions.Tests.Lstm;
using MLExtensions.Tests.Quatrains;
using MLExtensions.Tests.Reinforcement;
using MLExtensions.Tests.SequenceToSequence;

namespace MLExtensions.Tests.Models;

/// <summary>
/// Writes what the corpus of saved models does not hold yet; what it holds stays as it is. To add a family, make it a contract subject or add a
/// line to <see cref="Others"/>, and run <c>MLExtensions.Tests.Units child 'MLExtensions.Tests.Models.CorpusWriter, MLExtensions.Tests.Units' Write Tests/Data/Models</c>.
/// </summary>
internal static class CorpusWriter
{
    private const int RowCount = 4;
    private const string Picture = "Picture";
    private static readonly MLContext Ml = new(1);

    private static readonly Dictionary<string, Func<(ITransformer Model, CorpusRow[] Rows, IDataView Data)>> Others = new()
    {
        ["LstmNumbers"] = () => Sequences(SequenceModel.Values),
        ["LstmTexts"] = () => Sequences(SequenceModel.Texts),
        ["LstmKeys"] = () => Sequences(SequenceModel.Keys),
        ["LanguageModel"] = () => (LanguageSample.Fit(Ml, LanguageSample.Cycles(20)), Texts("abcde", "cdeab", "aaaa", ""), LanguageSample.View(Ml, "a")),
        ["GeneratedText"] = () => (Ml.LanguageModels.GenerateText(LanguageSample.Fit(Ml, LanguageSample.Cycles(20)), "Written", options: new GenerationOptions { MaximumTokens = 12, Seed = 1, Temperature = 0 }), Texts("abc", "d", "cde"), LanguageSample.View(Ml, "a")),
        ["LanguageModelRows"] = () => (LanguageSample.Fit(Ml, LanguageSample.Cycles(20), o => (o.IndependentRows, o.ContextColumnName, o.TieEmbeddings, o.TokenFeatures) = (true, nameof(CorpusRow.Text), true, token => token == "a" ? ["first", "letter"] : ["letter"])), Texts("abcde", "cdeab", "aaaa", ""), LanguageSample.View(Ml, "a")),
        ["CheckQuatrain"] = () => (Ml.Transforms.Text.CheckQuatrain(new QuatrainCheckEstimator.Options { InputColumnName = nameof(CorpusRow.Text), RhymeTable = RhymeTable.Parse("平\t尤\t流樓\n平\t真\t人\n入\t屋\t目\n", "table") }).Fit(LanguageSample.View(Ml, "a")), Texts("白日依山盡，黃河入海流。欲窮千里目，更上一層樓。", "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。", "no poem"), LanguageSample.View(Ml, "a")),
        ["Quatrains"] = () => Quatrains(QuatrainArchitecture.Plain),
        ["QuatrainLines"] = () => Quatrains(QuatrainArchitecture.LineByLine),
        ["SequenceToSequence"] = Answers,
        ["Forecast"] = () => (SeriesSample.Forecaster().Fit(SeriesSample.View(SeriesSample.Sine(60))), SeriesSample.Sine(20, seed: 2).Select(row => new CorpusRow { Value = row.Value }).ToArray(), SeriesSample.View(SeriesSample.Sine(1))),
        ["ImageFeatures"] = ImageFeatures,
        ["ConditionalDcgan"] = ConditionalDcgan,
        ["ConditionalGan"] = ConditionalGan,
        ["DiscriminatorFeatures"] = DiscriminatorFeatures,
        ["Inpainting"] = Inpainting,
        ["StyleTransfer"] = () => Pictures(Ml.Transforms.StyleTransfer(new StyleTransferEstimator.Options
        {
            InputColumnName = Picture,
            LossColumnName = "Loss",
            WeightsPath = LossNetworkSample.Path,
            Architecture = LossNetworkSample.Network,
            StyleImages = [TestImages.Create(10, 8, (y, x) => ((byte)(20 * x), (byte)(30 * y), 90))],
            ContentLayers = ["features.3"],
            StyleLayers = ["features.1", "features.3"],
            BorderPadding = 2,
            Iterations = 3,
            Optimizer = new LbfgsOptimizer { HistorySize = 2 },
            Seed = 1,
        })),
        ["FastStyle"] = FastStyle,
        ["StyleEmbedding"] = () => Pictures(Ml.Transforms.StyleEmbedding(new StyleEmbeddingEstimator.Options
        {
            InputColumnName = Picture,
            OutputColumnName = "Style",
            WeightsPath = LossNetworkSample.Path,
            Architecture = LossNetworkSample.Network,
            Layers = ["features.1", "features.3"],
        })),
        ["QLearning"] = () => Policy(Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 20, Seed = 1 })),
        ["Dqn"] = Dqn,
        ["MarkovDecisionProcess"] = () => Policy(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()),
        ["KneserNey"] = () => (Ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { Tokenization = Tokenization.Characters() }).Fit(LanguageSample.View(Ml, LanguageSample.Cycles(20))), Texts("abcde", "cdeab", "aaax", ""), LanguageSample.View(Ml, "a")),
        ["ConversationHistory"] = () => (Ml.Transforms.Text.ConversationHistory(new ConversationHistoryEstimator.Options { ConversationColumnName = "Text", NumberOfTurns = 3, Marker = "* ", MaximumTokens = 5 }).Fit(LanguageSample.View(Ml, "a")), Texts("a", "b", "a", "a", "b"), LanguageSample.View(Ml, "a")),
        ["HiddenMarkovSymbols"] = HiddenMarkovSymbols,
        ["HiddenMarkovMixture"] = HiddenMarkovMixture,
        ["NearestNeighbors"] = NearestNeighbors,
        ["CropByBox"] = CropByBox,
        ["ImageEmbedding"] = ImageEmbedding,
        ["FaceEmbedding"] = FaceEmbedding,
        ["Verification"] = Verification,
        ["Identification"] = Identification,
    };

    /// <summary>Every model that the corpus must hold.</summary>
    public static IEnumerable<string> Names => Subjects.TrainingNames.Select(name => (string)name[0]).Union(Others.Keys);

    private static void Write(string[] args)
    {
        foreach (var name in Names.Where(name => !File.Exists(Path.Combine(args[0], name + ".zip"))))
        {
            var (model, rows, data) = Others.TryGetValue(name, out var other) ? other() : Contract(Subjects.Training(name));
            CorpusRecord.Of(Ml, model, rows).Write(Path.Combine(args[0], name + ".json"));
            Ml.Model.Save(model, data.Schema, Path.Combine(args[0], name + ".zip"));
            Console.WriteLine(name);
        }
    }

    /// <summary>Boxes whose four numbers are the same, and crops as numbers.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) CropByBox()
    {
        const int height = 7, width = 9;
        var rows = new[] { 1f, 2.5f, 4 }.Select(value => new CorpusRow { Value = value, Features = Enumerable.Range(0, 3 * height * width).Select(i => (float)(i * 37 % 256)).ToArray() }).ToArray();
        var data = CorpusRow.View(Ml, rows);
        var model = Ml.Transforms.ConvertToImage(height, width, Picture, nameof(CorpusRow.Features))
            .Append(Ml.Transforms.Concatenate("Box", Enumerable.Repeat(nameof(CorpusRow.Value), 4).ToArray()))
            .Append(Ml.Transforms.CropByBox(new CropByBoxEstimator.Options { InputColumnName = Picture, Margin = .5, Border = BoxBorder.Fill, OutputHeight = 3, OutputWidth = 2 }))
            .Append(Ml.Transforms.ExtractPixels("Pixels", "Crop"))
            .Fit(data);
        return (model, rows, data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) NearestNeighbors()
    {
        var rows = Enumerable.Range(0, 6).Select(row => new CorpusRow { Features = [row + 1, row % 3, 2 - (row * row)], Text = "ab"[..((row % 2) + 1)] }).ToArray();
        var options = new NearestNeighborsEstimator.Options { LabelColumnName = nameof(CorpusRow.Text), NumberOfNeighbors = 2, OutputColumnPrefix = "Found", NumberOfThreads = 3 };
        return (Ml.Transforms.NearestNeighbors(options).Fit(CorpusRow.View(Ml, rows[..4])), rows, CorpusRow.View(Ml, rows));
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) HiddenMarkovSymbols()
    {
        var rows = Texts([.. "aabbaabbbaaabb".Select(symbol => symbol.ToString()), "", "c"]);
        var options = new DiscreteHiddenMarkovEstimator.Options { ObservationColumnName = nameof(CorpusRow.Text), SequenceColumnName = null, NumbersOfStates = [2], NumberOfStarts = 2, MaximumIterations = 20, Seed = 1 };
        return (Ml.HiddenMarkovModels.Trainers.Discrete(options).Fit(CorpusRow.View(Ml, rows[..^1])), rows, CorpusRow.View(Ml, rows));
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) HiddenMarkovMixture()
    {
        var rows = Enumerable.Range(0, 30).Select(t => new CorpusRow { Features = MarkovSample.Vector(t).Observation }).ToArray();
        var options = new GaussianMixtureHiddenMarkovEstimator.Options { ObservationColumnName = nameof(CorpusRow.Features), SequenceColumnName = null, NumbersOfStates = [2], Covariance = CovarianceKind.Full, NumberOfStarts = 2, MaximumIterations = 20, Seed = 1 };
        return (Ml.HiddenMarkovModels.Trainers.GaussianMixture(options).Fit(CorpusRow.View(Ml, rows)), rows[..8], CorpusRow.View(Ml, rows));
    }

    private static EmbeddingTransformer Embeddings(IDataView data) => Ml.MetricLearning.Trainers.Dense(new DenseEmbeddingEstimator.Options
    {
        LabelColumnName = nameof(Example.Class),
        HiddenLayers = [5],
        EmbeddingSize = 3,
        Epochs = 3,
        Seed = 1,
    }).Fit(data);

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) ImageEmbedding()
    {
        var rows = Example.Create(40, featureCount: 18);
        var data = Example.View(Ml, rows);
        var model = Ml.MetricLearning.Trainers.Image(new ImageEmbeddingEstimator.Options
        {
            LabelColumnName = nameof(Example.Class),
            ImageShape = new ImageShape(1, 3, 6),
            Trunk = ImageTrunk.Cnn(new ConvolutionLayer(2, 3), new ActivationLayer(), new DenseLayer()),
            EmbeddingSize = 3,
            TestTimeFlip = true,
            Epochs = 2,
            Seed = 1,
        }).Fit(data);
        return (model, Rows(rows), data);
    }

    /// <summary>The layers of networks for faces: a sum of images of different sizes, normalization over channels, maxout of two.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) FaceEmbedding()
    {
        var rows = Example.Create(40, featureCount: 24);
        var data = Example.View(Ml, rows);
        var model = Ml.MetricLearning.Trainers.Image(new ImageEmbeddingEstimator.Options
        {
            LabelColumnName = nameof(Example.Class),
            ImageShape = new ImageShape(1, 4, 6),
            Trunk = ImageTrunk.Cnn(
                new ConvolutionLayer(2, 3) { Padding = 1 },
                new LocalResponseNormalizationLayer(3) { Alpha = 0.5, K = 2 },
                new ResidualLayer([new ConvolutionLayer(3, 3) { Stride = 2 }]) { Shortcut = new AveragePoolingLayer(2), ZeroPadding = true },
                new MaxoutLayer(4, 2),
                new DenseLayer { Bias = false }),
            EmbeddingSize = 3,
            Epochs = 2,
            Seed = 1,
        }).Fit(data);
        return (model, Rows(rows), data);
    }

    /// <summary>A row is compared with itself, scaled.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Verification()
    {
        var data = Example.View(Ml, Example.Create(60));
        var model = Embeddings(data);
        var pairs = Ml.MetricLearning.CreatePairs(model.Transform(data), nameof(Example.Class));
        var calibration = Ml.MetricLearning.Verify(falseAcceptRate: 0.1).Fit(pairs).Calibration;
        var verifier = new VerificationTransformer(Ml, new("Features", "Other", "Distance", "PredictedLabel", "Probability"), calibration, model);
        return (new TransformerChain<ITransformer>(Ml.Transforms.NormalizeMinMax("Other", "Features").Fit(data), verifier), Rows(Example.Create(RowCount, seed: 9)), data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Identification()
    {
        var data = Example.View(Ml, Example.Create(60));
        var model = Embeddings(data);
        var embedded = model.Transform(data);
        var calibration = Ml.MetricLearning.Verify(falseAcceptRate: 0.1).Fit(Ml.MetricLearning.CreatePairs(embedded, nameof(Example.Class))).Calibration;
        var identifier = Ml.MetricLearning.Identify(calibration, nameof(Example.Class), numberOfCandidates: 2).Fit(embedded);
        return (new TransformerChain<ITransformer>(model, identifier), Rows(Example.Create(RowCount, seed: 9)), data);
    }

    private static CorpusRow[] Rows(Example[] rows) => rows.Take(RowCount).Select(row => new CorpusRow { Features = row.Features.DenseValues().ToArray() }).ToArray();

    /// <summary>Two vocabularies, copies, both directions, and a beam.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Answers()
    {
        var pairs = PairSample.Reversed(40, longest: 3);
        var data = Ml.Transforms.CopyColumns(nameof(CorpusRow.Text), nameof(PairSample.Source)).Append(Ml.Transforms.DropColumns(nameof(PairSample.Source))).Fit(PairSample.View(pairs)).Transform(PairSample.View(pairs));
        var model = Ml.SequenceToSequence.Trainers.Lstm(PairSample.Options(o =>
        {
            (o.SourceColumnName, o.TargetTokenization, o.HiddenUnits, o.EmbeddingSize, o.CopyWords, o.BidirectionalEncoder) = (nameof(CorpusRow.Text), Tokenization.Words(minimumCount: 10), 5, 4, true, true);
            (o.Cell, o.Attention, o.ReverseSource, o.Seed) = (RecurrentCell.Gru, AttentionKind.Bahdanau, true, 1);
            o.Decoding = new DecodingOptions { BeamWidth = 4, NumberOfAnswers = 2, AddLogProbabilities = true, LengthPenalty = 0.5, CoveragePenalty = 0.1, MinimumTokens = 1, MaximumTokens = 4 };
        })).Fit(data);
        return (model, Texts("w1 w2", "w3", "", "other w0 w5"), data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Contract(TrainingSubject subject)
    {
        var data = subject.View(Ml, 60);
        var options = subject.Options(o => o.Epochs = 2, noisy: true);
        if (options is ResNetOptions residual)
            (residual.BaseChannels, residual.Shortcut) = (3, subject.Name == "ResNetMulticlass" ? ShortcutKind.Projection : residual.Shortcut);
        var model = subject.Normalizer(Ml).Append(subject.CreateEstimator(Ml, options)).Fit(data);
        var rows = subject.Rows(RowCount, seed: 9).Select(row => new CorpusRow { Features = row.Features.DenseValues().ToArray() });
        return (model, rows.ToArray(), data);
    }

    /// <summary>Without chance: the poems are the same on every processor.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Quatrains(QuatrainArchitecture architecture)
    {
        var poems = QuatrainSample.View(QuatrainSample.Poems(60));
        var poet = QuatrainSample.Fit(change: o => (o.Architecture, o.AcrosticColumnName, o.PatternColumnName, o.SeedColumnName, o.TitleColumnName, o.Writing) =
            (architecture, null, null, null, nameof(CorpusRow.Text), new QuatrainOptions { Temperature = 0, BeamWidth = 2, Seed = 1 }), data: Ml.Transforms.CopyColumns(nameof(CorpusRow.Text), nameof(QuatrainSample.Title)).Fit(poems).Transform(poems));
        return (poet, Texts("春江", "", "月"), LanguageSample.View(Ml, "a"));
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Sequences(string features)
    {
        // The corpus calls its numbers Features.
        var data = Ml.Transforms.CopyColumns(nameof(CorpusRow.Features), SequenceModel.Values).Fit(SequenceRow.View(Ml, SequenceRow.Random(40))).Transform(SequenceRow.View(Ml, SequenceRow.Random(40)));
        var trainer = SequenceModel.Binary(features == SequenceModel.Values ? nameof(CorpusRow.Features) : features);
        ITransformer model = features == SequenceModel.Keys ? SequenceModel.ToKeys.Append(trainer).Fit(data) : trainer.Fit(data);
        var rows = SequenceRow.Random(RowCount, seed: 9).Select(row => new CorpusRow { Features = row.Values, Text = row.Text! });
        return (model, rows.ToArray(), data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) ImageFeatures()
    {
        using var folder = new TemporaryFolder();
        var data = Ml.Transforms.CopyColumns(nameof(CorpusRow.Features), nameof(FeatureSample.Image)).Fit(FeatureSample.View(Ml, FeatureSample.Create(1))).Transform(FeatureSample.View(Ml, FeatureSample.Create(1)));
        var model = Ml.Transforms.ImageFeatures(new()
        {
            InputColumnName = nameof(CorpusRow.Features),
            OutputColumnName = "Codes",
            WeightsPath = FeatureSample.WriteWeights(folder, FeatureSample.Tiny()),
            Architecture = FeatureSample.Tiny(),
            Layer = "features",
        }).Fit(data);
        return (model, FeatureSample.Create(RowCount).Select(row => new CorpusRow { Features = row.Image }).ToArray(), data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) ConditionalDcgan()
    {
        var data = NamedHalves();
        return (Ml.Transforms.Conversion.MapValueToKey("Class", nameof(CorpusRow.Text)).Append(Ml.GenerativeModels.Trainers.Dcgan(Halves(conditional: true))).Fit(data), Texts("left", "right", "right", "left"), data);
    }

    /// <summary>Dense layers in each place that they can have.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) ConditionalGan()
    {
        var data = NamedHalves();
        var options = new GanEstimator.Options
        {
            LabelColumnName = "Class",
            Networks = new()
            {
                LatentSize = 3,
                LatentDistribution = LatentDistribution.Uniform,
                GeneratorLatent = [new DenseLayer(4), new ActivationLayer()],
                GeneratorLabel = [new DenseLayer(2) { Bias = false }],
                Generator = [new SequenceLayer([new DenseLayer(), new ActivationLayer(Activation.Sigmoid)])],
                DiscriminatorSample = [new MaxoutLayer(2, 2)],
                DiscriminatorLabel = [new DenseLayer(2)],
                Discriminator = [new DenseLayer(3), new ActivationLayer(), new DenseLayer()],
            },
            Epochs = 2,
            Seed = 1,
            ThreadCount = 1,
        };
        return (Ml.Transforms.Conversion.MapValueToKey("Class", nameof(CorpusRow.Text)).Append(Ml.GenerativeModels.Trainers.Gan(options)).Fit(data), Texts("left", "right", "right", "left"), data);
    }

    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) DiscriminatorFeatures()
    {
        var data = GanSample.Halves(Ml);
        var gan = Ml.GenerativeModels.Trainers.Dcgan(Halves(conditional: false)).Fit(data);
        var model = Ml.Transforms.DiscriminatorFeatures(gan, new() { OutputColumnName = "Codes", FeatureColumnName = nameof(CorpusRow.Features), ScoreColumnName = "Real", PooledSize = 2 }).Fit(data);
        return (model, GanSample.Halves(Ml, rows: 2).GetColumn<float[]>(nameof(CorpusRow.Features)).Select(image => new CorpusRow { Features = image }).ToArray(), data);
    }

    /// <summary>Small, as the corpus is nearly full, and with so few steps that a rounding does not grow.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Inpainting()
    {
        var data = GanSample.Halves(Ml);
        var options = Halves(conditional: true);
        options.Networks = options.Networks! with
        {
            LatentSize = 3,
            Generator = [new DenseLayer(2 * 4 * 4), new ReshapeLayer(2, 4, 4), new BatchNormalizationLayer(), new ActivationLayer(), new TransposedConvolutionLayer(1, 4) { Stride = 2, Padding = 1 }, new ActivationLayer(Activation.Tanh)],
            Discriminator = [new ConvolutionLayer(2, 4) { Stride = 2, Padding = 1 }, new ActivationLayer(Activation.LeakyReLU), new DenseLayer()],
        };
        var gan = Ml.GenerativeModels.Trainers.Dcgan(options).Fit(data);
        var model = Ml.Transforms.Inpaint(gan, new()
        {
            OutputColumnName = "Whole", LatentColumnName = "Noise", LossColumnName = "Loss", ClassColumnName = "Found",
            MaskShape = InpaintingMaskShape.Center, HoleSide = 3, PoissonBlend = true, DiscriminatorWeight = 0.1, Restarts = 3, Steps = 2,
        }).Fit(data);
        return (model, [new CorpusRow { Features = data.GetColumn<float[]>(nameof(CorpusRow.Features)).First() }], data);
    }

    /// <summary>Larger pictures than under contract: normalization by the statistics of a few pixels makes roundings grow from layer to layer.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) FastStyle()
    {
        const int side = 12;
        var random = new Random(3);
        var rows = Enumerable.Range(0, 8).Select(_ => new CorpusRow { Features = Enumerable.Range(0, 3 * side * side).Select(_ => (float)random.Next(256)).ToArray() }).ToArray();
        var data = CorpusRow.View(Ml, rows);
        var model = Ml.Transforms.FastStyleTransfer(new FastStyleTransferEstimator.Options
        {
            InputColumnName = nameof(CorpusRow.Features),
            ImageShape = new ImageShape(3, side, side),
            Width = 2,
            ResidualBlocks = 1,
            Epochs = 2,
            WeightsPath = LossNetworkSample.Path,
            Architecture = LossNetworkSample.Network,
            StyleImages = [TestImages.Create(side, side, (y, x) => ((byte)(20 * x), (byte)(20 * y), 90))],
            ContentLayers = ["features.3"],
            StyleLayers = ["features.1", "features.3"],
            Seed = 1,
            ThreadCount = 1,
        }).Fit(data);
        return (model, rows[..1], data);
    }

    /// <summary>The pictures are vectors in the corpus.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Pictures(IEstimator<ITransformer> estimator)
    {
        const int height = 7, width = 9;
        var rows = Enumerable.Range(0, 2).Select(row => new CorpusRow { Features = Enumerable.Range(0, 3 * height * width).Select(i => (float)((i * 37 + (row * 91)) % 256)).ToArray() }).ToArray();
        var data = CorpusRow.View(Ml, rows);
        return (Ml.Transforms.ConvertToImage(height, width, Picture, nameof(CorpusRow.Features)).Append(estimator).Fit(data), rows, data);
    }

    /// <summary>The class is a text in the corpus.</summary>
    private static IDataView NamedHalves()
    {
        var halves = GanSample.Halves(Ml);
        return Ml.Transforms.Conversion.MapKeyToValue(nameof(CorpusRow.Text), "Class").Append(Ml.Transforms.DropColumns("Class")).Fit(halves).Transform(halves);
    }

    /// <summary>The state is a text in the corpus: rooms a, b and c in a row, and a way out.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Policy(TabularEstimator estimator)
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { ("a", "left", 0f, "a"), ("a", "right", -1f, "b"), ("b", "left", 0f, "a"), ("b", "right", -1f, "c"), ("c", "right", 5f, "") }
            .Select(step => new { Text = step.Item1, Action = step.Item2, Reward = step.Item3, NextState = step.Item4 }));
        var state = Ml.Transforms.Conversion.MapValueToKey("State", nameof(CorpusRow.Text)).Fit(data);
        var others = Ml.Transforms.Conversion.MapValueToKey("Action").Append(Ml.Transforms.Conversion.MapValueToKey("NextState"));
        var keyed = state.Transform(data);
        return (new TransformerChain<ITransformer>(state, estimator.Fit(others.Fit(keyed).Transform(keyed))), Texts("a", "b", "c"), Ml.Transforms.SelectColumns(nameof(CorpusRow.Text)).Fit(data).Transform(data));
    }

    /// <summary>Two streams of layers, and the names of actions.</summary>
    private static (ITransformer Model, CorpusRow[] Rows, IDataView Data) Dqn()
    {
        var options = DqnTests.Options(1);
        (options.StateColumnName, options.Dueling) = (nameof(CorpusRow.Features), true);
        var rows = Enumerable.Range(0, Corridor.Cells).Select(cell => new CorpusRow { Features = Corridor.At(cell) }).ToArray();
        var data = CorpusRow.View(Ml, rows);
        var policy = DqnTests.Fit(new Corridor(firstAction: 3), options);
        return (new TransformerChain<ITransformer>(policy, Ml.Transforms.Conversion.MapKeyToValue("Chosen", "PredictedAction").Fit(policy.Transform(data))), rows, data);
    }

    private static DcganEstimator.Options Halves(bool conditional) => new()
    {
        Networks = GanSample.SmallImages(conditional) with
        {
            Discriminator = [new SpectralNormalizationLayer(new ConvolutionLayer(4, 4) { Stride = 2, Padding = 1 }), new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 }, new DenseLayer()],
        },
        LabelColumnName = conditional ? "Class" : null,
        Epochs = 2,
        Seed = 1,
        ThreadCount = 1,
    };

    private static CorpusRow[] Texts(params string[] texts) => Array.ConvertAll(texts, text => new CorpusRow { Text = text });
}
