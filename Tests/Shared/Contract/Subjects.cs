namespace MLExtensions.Tests.Contract;

/// <summary>Everything that is under contract.</summary>
internal static class Subjects
{
    /// <summary>The trainers, which learn a label.</summary>
    private static readonly Subject[] All =
    [
        new MlpBinarySubject(),
        new MlpMulticlassSubject(),
        new MlpRegressionSubject(),
        .. ImageSubjects.Cnn,
        .. ImageSubjects.ResNet,
        .. LstmSubjects.All,
    ];

    /// <summary>The trainers, and what learns without labels.</summary>
    private static readonly TrainingSubject[] Trainings =
    [
        .. All,
        .. RbmSubjects.All,
        new AutoencoderSubject(),
        new LanguageModelSubject(),
        new LanguageModelSubject("LanguageModelRows", independentRows: true),
        new SequenceToSequenceSubject(),
        new QuatrainSubject(QuatrainArchitecture.Plain),
        new QuatrainSubject(QuatrainArchitecture.LineByLine),
        new ForecastSubject(),
        new AdaptiveStyleSubject(),
        new GanSubject(),
        new DcganSubject(),
        new ConditionalGanSubject(),
        new FastStyleSubject(),
        .. EmbeddingSubject.All,
    ];

    /// <summary>What learns nothing itself but applies networks that were trained before.</summary>
    private static readonly TrainingSubject[] Applications =
    [
        new InpaintingSubject(),
        new DiscriminatorFeaturesSubject(),
    ];

    /// <summary>For <c>DynamicData</c>: promises about labels.</summary>
    public static IEnumerable<object[]> Names => All.Select(subject => new object[] { subject.Name });

    /// <summary>
    /// For <c>DynamicData</c>: promises of the engine, which knows networks and no tasks. One subject a network, all tasks among them, one with batch
    /// statistics, one of several networks.
    /// </summary>
    public static IEnumerable<object[]> NetworkNames =>
        new[] { "MlpMulticlass", "CnnMulticlass", "ResNetRegression", "LstmBinary", "Rbm", "StackedRbm", "Autoencoder", "LanguageModel", "LanguageModelRows", "SequenceToSequence", "Forecast", "Gan", "Dcgan", "ConditionalGan", "FastStyle", "AdaptiveStyle", "EmbeddingCenters" }.Select(name => new object[] { Training(name).Name });

    /// <summary>Those of them whose epochs can be compared.</summary>
    public static IEnumerable<object[]> GoalNames => NetworkNames.Where(row => Training((string)row[0]).HasGoal);

    /// <summary>For <c>DynamicData</c>: promises of every training.</summary>
    public static IEnumerable<object[]> TrainingNames => Trainings.Select(subject => new object[] { subject.Name });

    /// <summary>For <c>DynamicData</c>: promises of every transformer, whether its estimator trained the networks or only applies them.</summary>
    public static IEnumerable<object[]> TransformerNames => TrainingNames.Concat(ApplicationNames);

    /// <summary>For <c>DynamicData</c>: promises of transformers that cost much; one a network, and those that apply networks.</summary>
    public static IEnumerable<object[]> NetworkTransformerNames => NetworkNames.Concat(ApplicationNames);

    private static IEnumerable<object[]> ApplicationNames => Applications.Select(subject => new object[] { subject.Name });

    public static Subject Get(string name) => All.Single(subject => subject.Name == name);

    public static TrainingSubject Training(string name) => Trainings.Concat(Applications).Single(subject => subject.Name == name);
}
