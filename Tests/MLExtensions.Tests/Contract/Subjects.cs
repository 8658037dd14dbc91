namespace MLExtensions.Tests.Contract;

/// <summary>Every trainer that is under contract.</summary>
internal static class Subjects
{
    private static readonly Subject[] All =
    [
        new MlpBinarySubject(),
        new MlpMulticlassSubject(),
        new MlpRegressionSubject(),
        .. ImageSubjects.Cnn,
        .. ImageSubjects.ResNet,
        .. LstmSubjects.All,
    ];

    /// <summary>For <c>DynamicData</c>.</summary>
    public static IEnumerable<object[]> Names => All.Select(subject => new object[] { subject.Name });

    public static Subject Get(string name) => All.Single(subject => subject.Name == name);
}
