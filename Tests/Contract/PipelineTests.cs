using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Trainer and transformer are ML.NET citizens: schemas, mappers, prediction engines, importance.</summary>
[TestClass]
public sealed class PipelineTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly SharedModels Models = new(name => Subjects.Training(name).Fit(Subjects.Training(name).Rows(100), o => o.Epochs = 2));

    /// <summary>Annotations that ML.NET's scorers add, and that none of its own trainers announces.</summary>
    private static readonly string[] MadeByScorers = ["TrainingLabelValues"];

    [ClassCleanup]
    public static void DisposeModels() => Models.Dispose();

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void OutputSchema_EstimatorAndTransformerAgree(string name)
    {
        var (subject, model) = Fit(name);
        var data = subject.View(Ml, 10);
        var promised = subject.CreateEstimator(Ml, subject.Options()).GetOutputSchema(SchemaShape.Create(data.Schema));
        var given = model.Transformer.GetOutputSchema(data.Schema);
        CollectionAssert.AreEquivalent(given.Where(column => !column.IsHidden).Select(column => column.Name).ToArray(), promised.Select(column => column.Name).ToArray());
        CollectionAssert.AreEqual(subject.OutputColumns, given.Select(column => column.Name).Except(data.Schema.Select(column => column.Name)).ToArray());
        Assert.AreEqual(given.ToString(), model.Transform(data).Schema.ToString());
        foreach (var column in SchemaShape.Create(given))
        {
            Assert.IsTrue(promised.TryFindColumn(column.Name, out var promise));
            Assert.AreEqual(column.GetTypeString(), promise.GetTypeString(), column.Name);
            CollectionAssert.IsSubsetOf(Kinds(promise), Kinds(column), column.Name);
            CollectionAssert.AreEquivalent(Kinds(column).Except(MadeByScorers).ToArray(), Kinds(promise).Except(MadeByScorers).ToArray(), column.Name);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Append_AfterTheTrainer_PassesSchemaCheck(string name)
    {
        var subject = Subjects.Training(name);
        var column = subject.ValueColumns[0];
        var pipeline = subject.CreateEstimator(Ml, subject.Options(o => o.Epochs = 1))
            .Append(Ml.Transforms.CopyColumns("Copy", column))
            .Append(Ml.Transforms.DropColumns(column));
        var schema = pipeline.Fit(subject.View(Ml, 50)).Transform(subject.View(Ml, 50)).Schema;
        Assert.IsNotNull(schema.GetColumnOrNull("Copy"));
        Assert.IsNull(schema.GetColumnOrNull(column));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void PredictionEngine_SameAsTransform(string name)
    {
        var (subject, model) = Fit(name);
        if (!subject.MapsRows)
            return;
        var rows = subject.Rows(60, seed: 4);
        Outcome.AssertSameComputation(subject.Values(model.Transform(Example.View(Ml, rows))), subject.PredictRows(Ml, model.Transformer, rows));
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void PermutationFeatureImportance_FindsTheFeaturesThatMatter(string name)
    {
        var subject = Subjects.Get(name);
        // A third that is always the same cannot matter.
        var rows = subject.Rows(300).Select(row => Flatten(row, subject)).ToArray();
        var model = subject.Fit(rows);
        var importance = subject.Task.Importance(Ml, model, Example.View(Ml, rows));
        Assert.HasCount(subject.FeatureCount, importance);
        var third = subject.FeatureCount / 3;
        Assert.AreEqual(0, importance[third..(2 * third)].Max(), 1e-9);
        // Where many pixels share in an answer, a single one may even be better shuffled; that it counts is what can be relied on.
        if (third == 2)
            Floor.Above(0.2, importance.Sum(), $"{name} all");
        Floor.Above(0.001, importance[..third].Sum(Math.Abs), $"{name} first");
        Floor.Above(0.001, importance[(2 * third)..].Sum(Math.Abs), $"{name} last");
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void RowToRowMapper_DependsOnWhatIsReadOnly(string name)
    {
        var (subject, model) = Fit(name);
        Assert.IsTrue(model.Transformer.IsRowToRowMapper);
        if (!subject.MapsRows)
        {
            Assert.Contains("PredictionEngine", Assert.Throws<InvalidOperationException>(() => model.Transformer.GetRowToRowMapper(subject.View(Ml, 1).Schema)).Message);
            return;
        }
        var mapper = model.Transformer.GetRowToRowMapper(subject.View(Ml, 1).Schema);
        foreach (var output in subject.ValueColumns)
            CollectionAssert.AreEquivalent(subject.InputColumns, Needed(output));
        CollectionAssert.AreEqual(new[] { nameof(Example.Weight) }, Needed(nameof(Example.Weight)));

        string[] Needed(string output) => mapper.GetDependencies(mapper.OutputSchema.Where(column => column.Name == output)).Select(column => column.Name).ToArray();
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void PreviewTakeRowsAndShuffle_OnTheScoredView(string name)
    {
        var (subject, model) = Fit(name);
        var rows = subject.Rows(100, seed: 4);
        var scored = model.Transform(Example.View(Ml, rows));
        var scores = subject.Values(scored);
        var perRow = scores.Length / 100;
        Assert.HasCount(7, scored.Preview(7).RowView);
        Outcome.AssertSameComputation(scores[..(5 * perRow)], subject.Values(Ml.Data.TakeRows(scored, 5)));
        Outcome.AssertSameComputation(scores[(90 * perRow)..], subject.Values(Ml.Data.SkipRows(scored, 90)));
        var shuffled = Ml.Data.ShuffleRows(scored, seed: 3);
        Assert.AreEqual(scores.Sum(x => (double)x), subject.Values(shuffled).Sum(x => (double)x), 1e-3);
        Assert.AreEqual(100, scored.GetRowCount());
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TransformerNames), typeof(Subjects))]
    public void Cache_OfTheScoredView_SameNumbers(string name)
    {
        var (subject, model) = Fit(name);
        var scored = model.Transform(subject.View(Ml, 100, seed: 4));
        Outcome.AssertSameComputation(subject.Values(scored), subject.Values(Ml.Data.Cache(scored)));
    }

    private static string[] Kinds(SchemaShape.Column column) => column.Annotations.Select(annotation => annotation.Name).ToArray();

    private static (TrainingSubject Subject, TrainedModel Model) Fit(string name) => (Subjects.Training(name), Models.Get(name));

    private static Example Flatten(Example row, Subject subject)
    {
        var third = subject.FeatureCount / 3;
        var features = row.Features.DenseValues().ToArray();
        Array.Clear(features, third, third);
        return row.With(features);
    }
}
