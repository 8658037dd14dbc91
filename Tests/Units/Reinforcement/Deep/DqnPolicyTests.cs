using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Reinforcement;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Deep Q-networks as transformers and as policies: columns, masks, files, layers.</summary>
[TestClass]
public sealed class DqnPolicyTests
{
    private static readonly MLContext Ml = new(1);
    private static readonly Lazy<DqnTransformer> Walker = new(() => DqnTests.Fit(new Corridor(firstAction: 3), DqnTests.Options(1)));

    [TestMethod]
    public void Transform_AddsActionAndValues()
    {
        var rows = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(cell => new Row { State = Corridor.At(cell) }).ToArray());
        var output = Walker.Value.Transform(rows);
        var named = Ml.Transforms.Conversion.MapKeyToValue("PredictedAction").Fit(output).Transform(output);
        CollectionAssert.AreEqual(new[] { "4", "4", "4", "4" }, named.GetColumn<string>("PredictedAction").ToArray());
        var values = output.GetColumn<float[]>("ActionValues").ToArray();
        for (var cell = 0; cell < 4; cell++)
        {
            Assert.AreEqual(Walker.Value.ActionValues(Corridor.At(cell))[0], values[cell][0], 1e-5f);
            Assert.AreEqual(Walker.Value.ActionValues(Corridor.At(cell))[1], values[cell][1], 1e-5f);
        }
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        output.Schema["ActionValues"].GetSlotNames(ref names);
        Assert.AreEqual("3", names.GetItemOrDefault(0).ToString());
        using var engine = Ml.Model.CreatePredictionEngine<Row, Prediction>(Walker.Value, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(2u, engine.Predict(new Row { State = Corridor.At(1) }).PredictedAction);
    }

    [TestMethod]
    public void Mask_ForbidsActions()
    {
        var options = DqnTests.Options(1);
        (options.ActionMaskColumnName, options.Epochs, options.InitialModel) = ("Allowed", 0, Walker.Value);
        using var policy = DqnTests.Fit(new Corridor(firstAction: 3), options);
        var rows = Ml.Data.LoadFromEnumerable(new[]
        {
            new Masked { State = Corridor.At(1), Allowed = [true, true] },
            new Masked { State = Corridor.At(1), Allowed = [true, false] },
        });
        var output = policy.Transform(rows);
        CollectionAssert.AreEqual(new[] { 2u, 1u }, output.GetColumn<uint>("PredictedAction").ToArray());
        Assert.IsTrue(float.IsNaN(output.GetColumn<float[]>("ActionValues").Last()[1]));
        var none = Ml.Data.LoadFromEnumerable(new[] { new Masked { State = Corridor.At(1), Allowed = [true, true] }, new Masked { State = Corridor.At(1), Allowed = [false, false] } });
        var message = Assert.ThrowsExactly<FormatException>(() => policy.Transform(none).GetColumn<uint>("PredictedAction").ToArray()).Message;
        Assert.Contains("Column 'Allowed', row 1", message);
        Assert.Contains("allows no action", message);
        Assert.Contains("'Allowed'", Assert.ThrowsExactly<ArgumentException>(() => policy.Transform(Ml.Data.LoadFromEnumerable(new[] { new Row() }))).Message);
    }

    [TestMethod]
    public void Model_IsSavedAndLoaded_InAnotherProcess()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "policy.zip");
        var rows = Ml.Data.LoadFromEnumerable(new[] { new Row { State = Corridor.At(2) } });
        Ml.Model.Save(Walker.Value, rows.Schema, path);
        ChildProcess.Run(Load, path, string.Join(' ', Walker.Value.ActionValues(Corridor.At(2)).Select(BitConverter.SingleToInt32Bits))).AssertSuccess();
        using var loaded = (DqnTransformer)Ml.Model.Load(path, out _);
        Assert.AreEqual(Walker.Value.Architecture, loaded.Architecture);
        Assert.AreEqual(Walker.Value.History, loaded.History);
        CollectionAssert.AreEqual(new[] { "3", "4" }, loaded.ActionNames!.ToArray());
        Assert.AreEqual(1, Ml.ReinforcementLearning.Evaluate(loaded, new Corridor(firstAction: 3), 3).MeanReturn);
    }

    private static void Load(string[] args)
    {
        using var loaded = (DqnTransformer)new MLContext().Model.Load(args[0], out _);
        Assert.AreEqual(args[1], string.Join(' ', loaded.ActionValues(Corridor.At(2)).Select(BitConverter.SingleToInt32Bits)));
    }

    [TestMethod]
    public void WrongStates_AreRefused()
    {
        Assert.Contains("has 3 values; that of this policy has 5", Assert.ThrowsExactly<ArgumentException>(() => Walker.Value.Act([1, 2, 3], [], new Random(1))).Message);
        Assert.Contains("Value 1 of the state is NaN", Assert.ThrowsExactly<FormatException>(() => Walker.Value.Act([0, float.NaN, 0, 0, 0], [], new Random(1))).Message);
        Assert.Contains("The mask has 3 values", Assert.ThrowsExactly<ArgumentException>(() => Walker.Value.Act(Corridor.At(0), [true, true, true], new Random(1))).Message);
        Assert.Contains("a state of the policy has 5", Assert.ThrowsExactly<ArgumentException>(() => Walker.Value.Transform(Ml.Data.LoadFromEnumerable(new[] { new Short() }))).Message);
    }

    [TestMethod]
    public void Disposed_SaysSo()
    {
        var options = DqnTests.Options(1);
        options.Epochs = 1;
        var policy = DqnTests.Fit(new Corridor(), options);
        policy.Dispose();
        Assert.Contains("DqnTransformer", Assert.ThrowsExactly<ObjectDisposedException>(() => policy.Act(Corridor.At(0), [], new Random(1))).Message);
    }

    /// <summary>Single states are computed without torch, to the same values.</summary>
    [TestMethod]
    [DataRow("dense", true)]
    [DataRow("dueling", true)]
    [DataRow("convolutions", true)]
    [DataRow("dueling convolutions", true)]
    [DataRow("numbered", true)]
    [DataRow("pooling", false)]
    public void SingleStates_AreComputedAsTorchDoes(string kind, bool isManaged)
    {
        IReadOnlyList<ImageLayer> layers = kind switch
        {
            "convolutions" or "dueling convolutions" => [new ConvolutionLayer(6, 3) { Stride = 2 }, new ActivationLayer(), new ConvolutionLayer(5, 2), new ActivationLayer(Activation.Tanh), new FlattenLayer(), new DenseLayer(9), new ActivationLayer(), new DenseLayer()],
            "pooling" => [new ConvolutionLayer(6, 3), new MaxPoolingLayer(2), new DenseLayer()],
            _ => [new DenseLayer(17), new ActivationLayer(), new DropoutLayer(), new DenseLayer(13), new ActivationLayer(Activation.Sigmoid), new DenseLayer()],
        };
        var image = layers[0] is ConvolutionLayer ? new ImageShape(2, 9, 11) : null;
        var architecture = new ActionValueArchitecture
        {
            InputCount = kind == "numbered" ? 1 : (int)(image?.Count ?? 7),
            OutputCount = 3,
            StateCount = kind == "numbered" ? 7 : null,
            FirstState = kind == "numbered" ? 2 : 0,
            Image = image,
            InputDivisor = image == null ? 1 : 255,
            Layers = kind.StartsWith("dueling", StringComparison.Ordinal) ? layers.Take(layers.Count - 3).ToArray() : layers,
            ValueLayers = kind.StartsWith("dueling", StringComparison.Ordinal) ? layers.Skip(layers.Count - 3).ToArray() : [],
            AdvantageLayers = kind.StartsWith("dueling", StringComparison.Ordinal) ? layers.Skip(layers.Count - 3).ToArray() : [],
        };
        architecture.Check();
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using var module = Engine.EngineRun.CreateModule(architecture, 1);
        module.eval();
        var scorer = new ActionValueScorer(architecture, module, CPU);
        Assert.AreEqual(isManaged, scorer.IsManaged);
        var random = new Random(1);
        for (var i = 0; i < 5; i++)
        {
            var state = Enumerable.Range(0, architecture.InputCount).Select(_ => kind == "numbered" ? 2f + random.Next(7) : image == null ? (float)random.NextDouble() : random.Next(256)).ToArray();
            var values = new float[3];
            scorer.Score(state, values);
            var expected = TensorMemory.Floats(module.call(tensor(state, dtype: ScalarType.Float32, device: CPU).unsqueeze(0)).contiguous());
            for (var action = 0; action < 3; action++)
                Assert.AreEqual(expected[action], values[action], 1e-5f);
        }
    }

    [TestMethod]
    public void Presets_HaveThePublishedNumbersOfWeights()
    {
        Assert.AreEqual(1_686_180, Count(DqnLayers.Nature(), new ImageShape(4, 84, 84), 4));
        Assert.AreEqual(132_566, Count(DqnLayers.MinAtar(), new ImageShape(4, 10, 10), 6));
        Assert.AreEqual((4 * 256) + 256 + (256 * 256) + 256 + (256 * 2) + 2, Count(DqnLayers.Perceptron(), null, 2));

        static long Count(IReadOnlyList<ImageLayer> layers, ImageShape? image, int actions)
        {
            var architecture = new ActionValueArchitecture
            {
                InputCount = (int)(image?.Count ?? 4), OutputCount = actions, StateCount = null, FirstState = 0, Image = image, InputDivisor = 1, Layers = layers, ValueLayers = [], AdvantageLayers = [],
            };
            architecture.Check();
            Assert.Contains("dense", architecture.Summary());
            return architecture.ParameterCount;
        }
    }

    private class Row
    {
        [VectorType(Corridor.Cells)]
        public float[] State { get; set; } = new float[Corridor.Cells];
    }

    private sealed class Masked : Row
    {
        [VectorType(2)]
        public bool[] Allowed { get; set; } = [true, true];
    }

    private sealed class Short
    {
        [VectorType(2)]
        public float[] State { get; set; } = new float[2];
    }

    private sealed class Prediction
    {
        public uint PredictedAction { get; set; }

        public float[]? ActionValues { get; set; }
    }
}
