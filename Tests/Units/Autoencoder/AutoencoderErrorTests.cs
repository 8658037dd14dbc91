using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>The error of each row: an anomaly score that ML.NET's evaluator takes.</summary>
[TestClass]
public sealed class AutoencoderErrorTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>Neighbors of the usual rows are apart here.</summary>
    private static readonly int[] Places = [0, 4, 1, 5, 2, 6, 3, 7];

    [TestMethod]
    public void Column_IsTheErrorOfTheRow()
    {
        var rows = AutoencoderSample.Create(70);
        var data = AutoencoderSample.View(rows);
        var estimator = AutoencoderSample.Estimator(o => o.ErrorColumnName = "Error");
        using var model = estimator.Fit(data);
        Assert.AreEqual("Error", model.ErrorColumnName);
        var scored = model.Transform(data);
        var errors = scored.GetColumn<float>("Error").ToArray();
        var expected = rows.Zip(AutoencoderSample.Column(scored, "Again"), (row, again) => row.Features.Zip(again, (x, y) => Math.Pow(x - y, 2)).Average()).ToArray();
        for (var i = 0; i < rows.Length; i++)
            Assert.AreEqual(expected[i], errors[i], 1e-6);
        Assert.AreEqual(model.ReconstructionError(data), errors.Average(), 1e-6);
        Assert.IsTrue(estimator.GetOutputSchema(SchemaShape.Create(data.Schema)).TryFindColumn("Error", out var promise));
        Assert.AreEqual(NumberDataViewType.Single, promise.ItemType);
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("Again")]
    public void SavedAndLoaded_SameErrors(string? reconstruction)
    {
        using var folder = new TemporaryFolder();
        var data = AutoencoderSample.View(40);
        using var model = AutoencoderSample.Fit(o => (o.ErrorColumnName, o.ReconstructionColumnName, o.Epochs) = ("Error", reconstruction, 1));
        Ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (AutoencoderTransformer)Ml.Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual("Error", loaded.ErrorColumnName);
        CollectionAssert.AreEqual(model.Transform(data).GetColumn<float>("Error").ToArray(), loaded.Transform(data).GetColumn<float>("Error").ToArray());
        using var engine = Ml.Model.CreatePredictionEngine<AutoencoderSample, Result>(loaded, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(loaded.Transform(data).GetColumn<float>("Error").First(), engine.Predict(AutoencoderSample.Create(1)[0]).Error, 1e-6f);
    }

    /// <summary>Anomalies have usual values of each feature, but in places where they do not belong.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Anomalies_AreFound()
    {
        var pipeline = AutoencoderSample.Estimator(o => (o.ErrorColumnName, o.ReconstructionColumnName, o.Epochs, o.Output) = ("Score", null, 30, AutoencoderOutput.Gaussian));
        using var model = pipeline.Fit(AutoencoderSample.View(300));
        var usual = AutoencoderSample.Create(200, seed: 2).Select(row => new LabeledRow { Features = row.Features });
        var strange = AutoencoderSample.Create(20, seed: 3).Select(row => new LabeledRow { Features = [.. Places.Select(place => row.Features[place])], Label = 1 });
        var scored = model.Transform(Ml.Data.LoadFromEnumerable(usual.Concat(strange)));
        // The evaluator wants to be told of a column of predictions, and does not look at it.
        var metrics = Ml.AnomalyDetection.Evaluate(scored, predictedLabelColumnName: "Score");
        Floor.Above(0.9, metrics.AreaUnderRocCurve);
    }

    [TestMethod]
    public void Name_OfAnotherColumn_Refused()
    {
        foreach (var name in new[] { "", "Code", "Again" })
        {
            var message = Assert.Throws<ArgumentException>(() => AutoencoderSample.Estimator(o => o.ErrorColumnName = name)).Message;
            Assert.Contains("ErrorColumnName is", message);
        }
    }

    private sealed class Result
    {
        public float Error { get; set; }
    }

    private sealed class LabeledRow
    {
        [VectorType(AutoencoderSample.FeatureCount)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
