using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Example and class weights do what they say: full batches make the loss the same sum, whatever the rows' order.</summary>
/// <remarks>After three steps (one with batch statistics), sums in another order differ by a few units of the last place (2.5e-7); after forty, networks may be elsewhere.</remarks>
[TestClass]
[TestCategory("Heart")]
public sealed class WeightTests
{
    private const string Column = nameof(Example.Weight);
    private const double Tolerance = 1e-5;
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void WeightTwo_IsTheRowTwice(string name)
    {
        var subject = Subjects.Get(name);
        var rows = subject.Rows(60);
        for (var i = 0; i < rows.Length; i++)
            rows[i].Weight = rows[i].Flag ? 2 : 1; // of one kind, so that it matters
        if (subject.HasBatchStatistics)
        {
            // They see each row however much it counts, so that each is there twice on both sides.
            AssertSame(Train(name, Twice(row => 1, row => row.Weight - 1), Column), Train(name, Twice(row => row.Weight, row => 0), Column));
        }
        else
        {
            var twice = rows.SelectMany(row => Enumerable.Repeat(row, (int)row.Weight)).ToArray();
            AssertSame(Train(name, twice), Train(name, rows, Column));
        }
        Floor.Above(10 * Tolerance, Distance(Train(name, rows), Train(name, rows, Column)), name);

        Example[] Twice(Func<Example, float> first, Func<Example, float> second) =>
            rows.SelectMany(row => new[] { Weighted(row, first(row)), Weighted(row, second(row)) }).ToArray();
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void WeightZero_DoesNotMatter(string name)
    {
        var subject = Subjects.Get(name);
        var rows = subject.Rows(60);
        var nonsense = subject.Rows(20, seed: 5);
        // Batch statistics see rows of weight zero, too, though not their labels.
        var others = subject.HasBatchStatistics ? nonsense.Select(row => Weighted(row, 0)).ToArray() : [];
        foreach (var row in nonsense)
            (row.Weight, row.Flag, row.Class, row.Target) = (0, !row.Flag, (row.Class + 1) % 3, 1e4f);
        AssertSame(Train(name, [.. others, .. rows], Column), Train(name, [.. nonsense, .. rows], Column));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void EqualWeights_AreAsNone(string name)
    {
        var rows = Subjects.Get(name).Rows(60);
        foreach (var row in rows)
            row.Weight = 1000;
        AssertSame(Train(name, rows), Train(name, rows, Column));
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void ClassWeights_AreAsExampleWeights(string name)
    {
        var subject = Subjects.Get(name);
        if (subject.Task == ContractTask.Regression)
            return;
        var classes = subject.Task == ContractTask.Binary ? 2 : 3;
        var rows = subject.Rows(60).Where((row, i) => ClassOf(subject, row) != 0 || i % 3 == 0).ToArray();
        double[] given = [4, 1, 2];
        foreach (var row in rows)
            row.Weight = (float)given[ClassOf(subject, row)];
        AssertSame(Train(name, rows, Column), Train(name, rows, weights: ClassWeights.Given(given[..classes])));
        foreach (var row in rows)
            row.Weight = (float)rows.Length / (classes * rows.Count(other => ClassOf(subject, other) == ClassOf(subject, row)));
        AssertSame(Train(name, rows, Column), Train(name, rows, weights: ClassWeights.Balanced));
        Floor.Above(10 * Tolerance, Distance(Train(name, rows), Train(name, rows, weights: ClassWeights.Balanced)), name);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void ClassWeights_BadOnesAreRefused(string name)
    {
        var subject = Subjects.Get(name);
        Assert.Contains("ClassWeights[1]", Assert.Throws<ArgumentException>(() => ClassWeights.Given(1, 0)).Message);
        if (subject.Task != ContractTask.Regression)
            Assert.Contains("5 weights", Assert.Throws<ArgumentException>(() => Train(name, subject.Rows(30), weights: ClassWeights.Given(1, 1, 1, 1, 1))).Message);
    }

    private static int ClassOf(Subject subject, Example row) => subject.Task == ContractTask.Binary ? (row.Flag ? 1 : 0) : (int)row.Class;

    /// <summary>The scores on test rows after a few full-batch steps, and the weights: what is learned, whatever the scale of the scores.</summary>
    private static (float[] Scores, float[] Weights) Train(string name, Example[] rows, string? weightColumn = null, ClassWeights? weights = null)
    {
        var subject = Subjects.Get(name);
        using var model = subject.Fit(rows, options =>
        {
            // After a step weights differ in the last place; batch statistics carry that to a ReLU that is all but 0, whose gradient then jumps.
            options.Epochs = subject.HasBatchStatistics ? 1 : 3;
            options.BatchSize = 1000;
            options.Optimizer = new SgdOptimizer();
            options.LearningRate = subject.FullBatchRate;
            options.ExampleWeightColumnName = weightColumn;
            if (weights != null)
                options.GetType().GetProperty("ClassWeights")!.SetValue(options, weights);
        });
        return (Outcome.Scores(model.Transform(subject.View(Ml, 30, seed: 9))), Outcome.Parameters(model.Model));
    }

    private static Example Weighted(Example row, float weight)
    {
        var copy = row.Copy();
        copy.Weight = weight;
        return copy;
    }

    private static void AssertSame((float[] Scores, float[] Weights) a, (float[] Scores, float[] Weights) b, [CallerMemberName] string member = "")
    {
        Outcome.AssertClose(a.Scores, b.Scores, Tolerance, member: member);
        Outcome.AssertClose(a.Weights, b.Weights, Tolerance, member: member);
    }

    private static double Distance((float[] Scores, float[] Weights) a, (float[] Scores, float[] Weights) b) => a.Weights.Zip(b.Weights, (x, y) => Math.Abs(x - y)).Max();
}
