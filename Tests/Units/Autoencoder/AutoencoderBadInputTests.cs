using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Contract;
using MLExtensions.Tests.Models;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>Bad options, data and files are refused, by name, before training.</summary>
[TestClass]
public sealed class AutoencoderBadInputTests
{
    [TestMethod]
    public void Options_AreCheckedAtOnce()
    {
        AssertOption("LatentSize is 0", o => o.LatentSize = 0);
        AssertOption("HiddenLayers[1] is -1", o => o.HiddenLayers = [4, -1]);
        AssertOption("Activation is PReLU", o => o.Activation = Activation.PReLU);
        AssertOption("LatentActivation is PReLU", o => o.LatentActivation = Activation.PReLU);
        AssertOption("Activation is 77", o => o.Activation = (Activation)77);
        AssertOption("Output is 5", o => o.Output = (AutoencoderOutput)5);
        AssertOption("OutputColumnName is empty", o => o.OutputColumnName = " ");
        AssertOption("InputColumnName is empty", o => o.InputColumnName = "");
        AssertOption("ReconstructionColumnName is Code", o => o.ReconstructionColumnName = "Code");
        AssertOption("ShuffleBufferRows is 0", o => o.ShuffleBufferRows = 0);
        AssertOption("Epochs is 0", o => o.Epochs = 0);
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new MLContext().Transforms.Autoencoder("Code", "Features", latentSize: -2)).Message, "LatentSize is -2");
    }

    [TestMethod]
    public void Options_AreCopied()
    {
        int[] units = [6];
        AutoencoderEstimator.Options? kept = null;
        var estimator = AutoencoderSample.Estimator(o => (kept, o.HiddenLayers, o.Epochs) = (o, units, 1));
        units[0] = 9;
        kept!.LatentSize = 5;
        using var model = estimator.Fit(AutoencoderSample.View(20));
        CollectionAssert.AreEqual(new[] { 6, 2 }, model.Architecture.EncoderLayers.Select(layer => layer.Units).ToArray());
    }

    [TestMethod]
    public void EarlyStopping_NeedsValidationData()
    {
        var estimator = AutoencoderSample.Estimator(o => o.EarlyStopping = new EarlyStopping());
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => estimator.Fit(AutoencoderSample.View(20))).Message, "set ValidationFraction");
        estimator.Fit(AutoencoderSample.View(20), AutoencoderSample.View(10)).Dispose();
    }

    [TestMethod]
    public void Columns_AreNamed()
    {
        AssertColumn("'Pixels' is not in the data; the columns are Features", o => o.InputColumnName = "Pixels", AutoencoderSample.View(20));
        var ml = new MLContext(1);
        var text = ml.Transforms.Conversion.ConvertType("Features", outputKind: DataKind.Double).Fit(AutoencoderSample.View(20)).Transform(AutoencoderSample.View(20));
        AssertColumn("Column 'Features' has type Vector<Double", _ => { }, text);
        var narrow = AutoencoderSample.Estimator().Fit(AutoencoderSample.View(20)).Transform(AutoencoderSample.View(20));
        var other = ml.Transforms.CopyColumns("Features", "Code").Fit(narrow).Transform(narrow);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => AutoencoderSample.Estimator().Fit(AutoencoderSample.View(20), other)).Message, "'Features' has 2 values in the validation data and 8");
        using var model = AutoencoderSample.Fit();
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.Transform(other)).Message, "Column 'Features' has 2 values");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.ReconstructionError(other)).Message, "Column 'Features' has 2 values");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => AutoencoderSample.Estimator().Fit(AutoencoderSample.View([]))).Message, "no rows");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.ReconstructionError(AutoencoderSample.View([]))).Message, "no rows");
    }

    [TestMethod]
    [DataRow(Buffering.InMemory)]
    [DataRow(Buffering.Streaming)]
    public void Values_AreNamed(Buffering buffering)
    {
        var rows = AutoencoderSample.Create(20);
        rows[7].Features[1] = 3;
        var message = Refusal(rows, buffering, AutoencoderOutput.Bernoulli);
        StringAssert.Contains(message, "Column 'Features', row 7 (the first row is 0), slot 1: the value is 3; features of an autoencoder with Output = Bernoulli must be in [0, 1]. Add NormalizeMinMax");
        Assert.DoesNotContain("fixZero", message);
        rows[7].Features[1] = -0.5f;
        StringAssert.Contains(Refusal(rows, buffering, AutoencoderOutput.Bernoulli), "the value is -0.5; features of an autoencoder with Output = Bernoulli must be in [0, 1]. Add NormalizeMinMax before this estimator, with fixZero: false");
        rows[7].Features[1] = float.NaN;
        StringAssert.Contains(Refusal(rows, buffering, AutoencoderOutput.Bernoulli), "column 'Features', row 7 (the first row is 0), slot 1: the value is NaN");
        StringAssert.Contains(Refusal(rows, buffering, AutoencoderOutput.Gaussian), "column 'Features', row 7 (the first row is 0), slot 1: the value is NaN");
    }

    /// <summary>What the message says: it does mend it. Real numbers need no mending, nor does scoring.</summary>
    [TestMethod]
    public void OutsideOfTheUnitRange_CanBeMendedOrScored()
    {
        var rows = AutoencoderSample.Create(20);
        rows[7].Features[1] = -3;
        var data = AutoencoderSample.View(rows);
        new MLContext(1).Transforms.NormalizeMinMax("Features", fixZero: false).Append(AutoencoderSample.Estimator()).Fit(data);
        AutoencoderSample.Estimator(o => o.Output = AutoencoderOutput.Gaussian).Fit(data).Dispose();
        using var model = AutoencoderSample.Fit();
        Assert.IsTrue(AutoencoderSample.Column(model.Transform(data), "Code").SelectMany(row => row).All(float.IsFinite));
        rows[7].Features[1] = float.NaN;
        var error = Assert.Throws<Exception>(() => AutoencoderSample.Column(model.Transform(data), "Code"));
        StringAssert.Contains(Outcome.Messages(error), "column 'Features', row 7 (the first row is 0), slot 1: the value is NaN");
    }

    [TestMethod]
    public void EncodeAndDecode_RefuseWrongSizesAndValues()
    {
        using var model = AutoencoderSample.Fit();
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.Encode([1, 2])).Message, "2 values; the model was trained on 8");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => model.Decode([1, 2, 3])).Message, "The latent representation has 3 values; the network's has 2");
        StringAssert.Contains(Assert.Throws<FormatException>(() => model.Decode([1, float.PositiveInfinity])).Message, "slot 1: the value is Infinity");
        Assert.Throws<ArgumentNullException>(() => model.Encode(null!));
        Assert.Throws<ArgumentNullException>(() => model.Decode(null!));
        Assert.Throws<ArgumentNullException>(() => model.ReconstructionError(null!));
    }

    [TestMethod]
    [DataRow("\"units\": 16", "\"units\": 0", "encoderLayers[0].units is 0")]
    [DataRow("\"units\": 16", "\"units\": 1000000", "weights.safetensors")]
    [DataRow("\"Tanh\"", "\"PReLU\"", "encoderLayers[0].activation is PReLU")]
    [DataRow("\"outputCount\": 8", "\"outputCount\": 7", "outputCount is 7")]
    [DataRow("\"Probability\"", "\"Perhaps\"", "output")]
    public void LyingArchitecture_IsRefused(string from, string to, string what)
    {
        using var zip = new ModelZip<AutoencoderTransformer>(ml => AutoencoderSample.Fit(), ml => AutoencoderSample.View(1));
        zip.ForgeText("architecture.json", from, to);
        Assert.Contains(what, zip.Refusal(to).Message);
    }

    private static string Refusal(AutoencoderSample[] rows, Buffering buffering, AutoencoderOutput output) => Outcome.Messages(
        Assert.Throws<FormatException>(() => AutoencoderSample.Estimator(o => (o.Buffering, o.Output) = (buffering, output)).Fit(AutoencoderSample.View(rows))));

    private static void AssertOption(string message, Action<AutoencoderEstimator.Options> change) =>
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => AutoencoderSample.Estimator(change)).Message, message);

    private static void AssertColumn(string message, Action<AutoencoderEstimator.Options> change, IDataView data)
    {
        var estimator = AutoencoderSample.Estimator(change);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => estimator.Fit(data)).Message, message);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => estimator.GetOutputSchema(SchemaShape.Create(data.Schema))).Message, message);
    }
}
