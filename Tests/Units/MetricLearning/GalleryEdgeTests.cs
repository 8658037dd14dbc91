using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Galleries and pairs at their limits: nobody, one person, one value, equal vectors, rows without a name.</summary>
[TestClass]
public sealed class GalleryEdgeTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly VerificationTransformer Verifier = Ml.MetricLearning.Verify(falseAcceptRate: 0.5).Fit(Ml.MetricLearning.CreatePairs(View(new("a", [0, 0]), new("a", [0, 0.1f]), new("b", [1, 0]), new("b", [1, 0.1f]))));

    [TestMethod]
    public void EmptyGallery_KnowsNobody_AndIsSaved()
    {
        var empty = Ml.MetricLearning.Identify(Verifier.Calibration).Fit(View());
        using var file = new MemoryStream();
        Ml.Model.Save(empty, null, file);
        foreach (var identifier in new[] { empty, (IdentificationTransformer)Ml.Model.Load(file, out _) })
        {
            Assert.AreEqual(0, identifier.Count);
            Assert.IsEmpty(identifier.People);
            var found = identifier.Identify([0, 0]);
            Assert.IsNull(found.Name);
            Assert.AreEqual(0, found.Confidence);
            Assert.IsEmpty(found.Candidates);
            var rows = identifier.Transform(View(new Row("a", [0, 0])));
            Assert.AreEqual("", rows.GetColumn<string>("PredictedLabel").Single());
            CollectionAssert.AreEqual(new[] { "", "", "" }, rows.GetColumn<string[]>("Candidates").Single());
            Assert.IsTrue(rows.GetColumn<float[]>("Distances").Single().All(float.IsPositiveInfinity));
            identifier.Add("c", [0, 0]);
            Assert.AreEqual("c", identifier.Identify([0, 0]).Name);
            Assert.AreEqual(1, identifier.Remove("c"));
            Assert.IsNull(identifier.Identify([0, 0]).Name, "empty again");
        }
    }

    [TestMethod]
    public void OnePerson_IsFoundByTheNearestOfEqualVectors()
    {
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration).Fit(View(new("a", [0, 0]), new("a", [0, 0]), new("", [1, 1]), new("a", [3, 0])));
        Assert.AreEqual(3, identifier.Count, "the row without a name is left out");
        var found = identifier.Identify([0, 0]);
        Assert.HasCount(1, found.Candidates);
        Assert.AreEqual(("a", 0f), (found.Name, found.Candidates[0].Distance));
        identifier.Add("b", [0, 0]);
        CollectionAssert.AreEqual(new[] { "a", "b" }, identifier.Identify([0, 0]).Candidates.Select(candidate => candidate.Name).ToArray(), "equally near: by name");
    }

    /// <summary>People are known by name: keys of other data may have other numbers.</summary>
    [TestMethod]
    public void KeysOfOtherData_AreMetByName()
    {
        var identifier = Ml.MetricLearning.Identify(Verifier.Calibration).Fit(Keys("a", "b"));
        identifier.AddRange(Keys("b", "a"));
        CollectionAssert.AreEqual(new[] { "a", "b" }, identifier.People.ToArray());
        Assert.AreEqual("b", identifier.Identify([4, 0]).Candidates[0].Name);
        Assert.AreEqual(2, identifier.Remove("b"), "once of each data");

        static IDataView Keys(params string[] names)
        {
            var rows = Ml.Data.LoadFromEnumerable(names.Select(name => new Row(name, [name == "a" ? 0 : 4, 0])).ToArray());
            return Ml.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
        }
    }

    /// <summary>A Single is a vector of one value.</summary>
    [TestMethod]
    public void OneValue_IsCompared()
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { new Scalar("a", 0), new Scalar("a", 0.5f), new Scalar("b", 2), new Scalar("b", 2.25f) });
        var pairs = Ml.MetricLearning.CreatePairs(data);
        var verifier = Ml.MetricLearning.Verify(falseAcceptRate: 0.5).Fit(pairs);
        Assert.AreEqual(4, verifier.Compare([0], [2]).Distance);
        CollectionAssert.AreEquivalent(new[] { 0.25f, 0.0625f, 4, 5.0625f, 2.25f, 3.0625f }, verifier.Transform(pairs).GetColumn<float>("Distance").ToArray());
        Assert.AreEqual("b", Ml.MetricLearning.Identify(verifier.Calibration).Fit(data).Identify([1.9f]).Name);
        Assert.AreEqual(1, Ml.MetricLearning.Evaluate(data).PrecisionAt1);
    }

    /// <summary>Where two of different classes are equal, no threshold keeps them apart: then nothing is accepted.</summary>
    [TestMethod]
    public void EqualVectorsOfTwoClasses_GiveAThresholdThatAcceptsNothing()
    {
        var data = View(new("a", [1, 0]), new("a", [1, 0]), new("b", [1, 0]), new("b", [1, 0]));
        var verifier = Ml.MetricLearning.Verify(falseAcceptRate: 0.25).Fit(Ml.MetricLearning.CreatePairs(data));
        Assert.AreEqual(0, verifier.Calibration.Threshold);
        var result = verifier.Compare([1, 0], [1, 0]);
        Assert.IsFalse(result.IsSame);
        Assert.AreEqual((0.75f + (1f / 6)) / 2, result.Probability, 1e-4f, "between Platt's targets of two and of four pairs");
        Assert.AreEqual(0, verifier.Calibration.ValidationRate);
    }

    [TestMethod]
    public void ClassesWithOneRow_AreOnlyCounterexamples()
    {
        var metrics = Ml.MetricLearning.Evaluate(View(new("a", [0, 0]), new("a", [0, 1]), new("b", [5, 5]), new("c", [0, 0.1f])));
        Assert.AreEqual((2L, 2L), (metrics.NumberOfQueries, metrics.NumberOfLoneRows));
        Assert.AreEqual(0, metrics.PrecisionAt1, "c is nearer to both");
    }

    [TestMethod]
    public void DistanceBeyondFloat_IsRefused()
    {
        var pairs = Ml.MetricLearning.CreatePairs(View(new("a", [0, 0]), new("a", [0, 0]), new("b", [1e30f, 0])));
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Ml.MetricLearning.Verify(falseAcceptRate: 0.5).Fit(pairs)).Message, "Columns 'First' and 'Second', row");
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Verifier.Compare([0, 0], [1e30f, 0])).Message, "NormalizeLpNorm");
    }

    [TestMethod]
    public void PairsOfDifferentSizes_AreRefused()
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { new Uneven() });
        var e = Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Verify(new VerificationEstimator.Options { Calibration = Verifier.Calibration }).Fit(data));
        StringAssert.Contains(e.Message, "Column 'First' has 2 values and column 'Second' has 3");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ml.MetricLearning.Identify(Verifier.Calibration).Fit(View(new Row("a", [0, 0]))).Transform(Ml.Transforms.CopyColumns("Embedding", "Second").Fit(data).Transform(data))).Message, "the embeddings of the gallery have 2");
    }

    /// <summary>More pairs than an Int32 counts: each is drawn with the same probability.</summary>
    [TestMethod]
    public void DrawOfPairs_CountsBeyondInt32()
    {
        var random = new SplitMix64((ulong)TestSeed.Of(1));
        var draws = Enumerable.Range(0, 1000).Select(_ => random.Next(6_000_000_000)).ToArray();
        Assert.IsTrue(draws.All(draw => draw is >= 0 and < 6_000_000_000));
        Assert.IsGreaterThan(400, draws.Count(draw => draw > int.MaxValue), "two of three are");
    }

    private static IDataView View(params Row[] rows) => Ml.Data.LoadFromEnumerable(rows);

    private sealed record Row(string Label, [property: VectorType(2)] float[] Embedding);

    private sealed record Scalar(string Label, float Embedding);

    private sealed class Uneven
    {
        public string Label { get; set; } = "a";

        [VectorType(2)]
        public float[] First { get; set; } = [0, 0];

        [VectorType(3)]
        public float[] Second { get; set; } = [0, 0, 0];
    }
}
