using Microsoft.ML;
using MLExtensions.Persistence;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training.FineTuning;

/// <summary>A small network with batch normalization, plain gradient descent, three classes; and files of its weights.</summary>
internal static class Tuning
{
    public const int Rows = 60;
    public const double Rate = 0.1;

    /// <summary>One epoch of one step unless told otherwise.</summary>
    public static MulticlassNetworkTransformer Fit(Action<MlpMulticlassTrainer.Options>? change = null, int dataSeed = 8)
    {
        var options = new MlpMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Example.Class),
            FeatureColumnName = nameof(Example.Features),
            HiddenLayers = [5, 4],
            BatchNormalization = true,
            Activation = Activation.Tanh,
            Optimizer = new SgdOptimizer(),
            LearningRate = Rate,
            BatchSize = Rows,
            Epochs = 1,
            Seed = 1,
            ThreadCount = 1,
        };
        change?.Invoke(options);
        var ml = new MLContext(1);
        return ml.MulticlassClassification.Trainers.Mlp(options).Fit(Example.View(ml, Example.Create(Rows, seed: dataSeed)));
    }

    /// <summary>The weights of a network that was trained a little, as a file.</summary>
    public static string Pretrained(TemporaryFolder folder, Action<MlpMulticlassTrainer.Options>? change = null)
    {
        using var model = Fit(o =>
        {
            o.Epochs = 3;
            o.BatchSize = 10;
            o.Seed = 5;
            change?.Invoke(o);
        }, dataSeed: 2);
        model.Model.SaveWeights(folder.File("pretrained.safetensors"));
        return folder.File("pretrained.safetensors");
    }

    public static Dictionary<string, Tensor> Read(string path)
    {
        using var stream = File.OpenRead(path);
        return SafeTensorsReader.Open(stream, path).ReadAll();
    }

    /// <summary>The numbers of one tensor of a file.</summary>
    public static float[] Read(string path, string name) => Read(path)[name].to(ScalarType.Float32).data<float>().ToArray();

    /// <summary>Another file with changed content.</summary>
    public static string Changed(string path, Action<Dictionary<string, Tensor>> change)
    {
        var tensors = Read(path);
        change(tensors);
        var changed = path + ".changed";
        AtomicFile.Write(changed, stream => SafeTensorsWriter.Write(stream, tensors));
        return changed;
    }
}
