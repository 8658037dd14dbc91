using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.BadInput;

/// <summary>Models that are damaged, disposed or of another kind, and sources that change, are refused by name.</summary>
[TestClass]
public sealed class BadModelTests
{
    private static readonly BadCase[] Cases =
    [
        new("a perceptron from a convolutional network", () => Bad.Binary(o => o.InitialModel = Bad.Model("CnnBinary")).Fit(Bad.View()), "InitialModel"),
        new("a binary perceptron from a regression", () => Bad.Binary(o => o.InitialModel = Bad.Model("MlpRegression")).Fit(Bad.View()), "InitialModel"),
        new("a perceptron from ML.NET's normalizer", () => Bad.Binary(o => o.InitialModel = Bad.Ml.Transforms.NormalizeMinMax("Features").Fit(Bad.View())).Fit(Bad.View()), "InitialModel", "NormalizingTransformer"),
        new("a perceptron from an empty chain", () => Bad.Binary(o => o.InitialModel = new TransformerChain<ITransformer>()).Fit(Bad.View()), "InitialModel"),
        new("a perceptron from two networks", () => Bad.Binary(o => o.InitialModel = Bad.Model("MlpBinary").Append(Bad.Model("MlpRegression"))).Fit(Bad.View()), "InitialModel"),
        new("an autoencoder from a machine", () => Bad.Autoencoder(o => o.InitialModel = Bad.Model("Rbm")).Fit(Bad.View()), "InitialModel"),
        new("a machine from an autoencoder", () => Bad.Rbm(o => o.InitialModel = Bad.Model("Autoencoder")).Fit(Bad.View()), "InitialModel"),
        new("a stack of two from a single machine", () => Bad.Rbm(o => o.InitialModel = Bad.Model("Rbm")).Fit(Bad.View()), "InitialModel"),
        new("a language model from a forecaster", () => Bad.Language(o => o.InitialModel = Bad.Model("Forecast")).Fit(Bad.View()), "InitialModel"),
        new("a forecaster from a language model", () => Bad.Forecaster(o => o.InitialModel = Bad.Model("LanguageModel")).Fit(Bad.View()), "InitialModel"),
        new("a recurrent network from image features", () => Bad.Recurrent("Text", o => o.InitialModel = Bad.Model("ImageFeatures")).Fit(Bad.View()), "InitialModel"),
        new("a residual network from a perceptron", () => Bad.ResNet(o => o.InitialModel = Bad.Model("MlpBinary")).Fit(Bad.View()), "InitialModel"),
        new("epochs of 0 from nothing", () => Bad.ResNet(o => o.Epochs = 0), "Epochs is 0", "InitialModel"),
        new("a model and weights", () => Bad.Binary(o => (o.InitialModel, o.InitialWeightsPath) = (Bad.Model("MlpBinary"), "w")).Fit(Bad.View()), "InitialWeightsPath is 'w'", "InitialModel"),
        new("a model without the end", () => Damaged(bytes => bytes[..^100])),
        new("a model without a half", () => Damaged(bytes => bytes[..(bytes.Length / 2)])),
        new("a model of zeros", () => Damaged(bytes => new byte[bytes.Length])),
        new("a model without weights", () => Without("weights.safetensors"), "weights.safetensors"),
        new("a model without architecture", () => Without("architecture.json"), "architecture.json"),
        new("a model without history", () => Without("history.json"), "history.json"),
        new("a network of a chain without one", () => Bad.Ml.Transforms.CopyColumns("F", "Features").Fit(Bad.View()).Network(), "no network", "ColumnCopyingTransformer"),
        new("a network of an empty chain", () => new TransformerChain<ITransformer>().Summary(), "no transformers at all"),
        new("a summary of null", () => ((ITransformer)null!).Summary(), "model"),
        new("a summary of ML.NET's trees", () => Bad.Ml.Transforms.NormalizeMinMax("Features").Fit(Bad.View()).Summary(), "NormalizingTransformer"),
        new("a machine in a perceptron", () => Bad.Model("MlpBinary").FindNetwork<RbmTransformer>(), "RbmTransformer", "BinaryNetworkTransformer"),
        new("the network of a chain of two", () => Bad.Model("MlpBinary").Append(Bad.Model("Rbm")).Network(), "2 networks", "RbmTransformer"),
        new("weights of another name", () => Bad.Model("Autoencoder").Network().GetWeights("missing"), "missing"),
        new("a layer that a machine does not have", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().GetWeights(7), "7"),
        new("a threshold of a loaded model that is NaN", () => Bad.Model("MlpBinary").FindNetwork<BinaryNetworkTransformer>().DecisionThreshold = double.NaN, "DecisionThreshold is NaN"),
        new("a threshold of a loaded model below 0", () => Bad.Model("LstmBinary").FindNetwork<BinaryNetworkTransformer>().DecisionThreshold = -0.1, "DecisionThreshold is -0.1"),
        new("a sample of -1 rows", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().Sample(-1, 1, 1), "-1"),
        new("a sample of no steps", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().Sample(1, 0, 1), "0"),
        new("a sample from rows that are null", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().Sample([null!], 1, 1), "rows[0] is null"),
        new("a sample from a row of another width", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().Sample([[1f]], 1, 1), "1"),
        new("a reconstruction of NaN", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().Reconstruct(Enumerable.Repeat(float.NaN, Bad.Model("Rbm").Network().Architecture.InputCount).ToArray()), "NaN"),
        new("a text from null", () => Writer().GenerateText(null!), "prompt"),
        new("a text of no tokens", () => Writer().GenerateText("a", new GenerationOptions { MaximumTokens = 0 }), "MaximumTokens is 0"),
        new("a text at minus 1 degree", () => Writer().GenerateText("a", new GenerationOptions { Temperature = -1 }), "Temperature is -1"),
        new("a text of the 0 best tokens", () => Writer().GenerateText("a", new GenerationOptions { TopK = 0 }), "TopK is 0"),
        new("a text of a share of NaN", () => Writer().GenerateText("a", new GenerationOptions { TopP = double.NaN }), "TopP is NaN"),
        new("a text that is praised for repeating", () => Writer().GenerateText("a", new GenerationOptions { RepetitionPenalty = 0.5 }), "RepetitionPenalty is 0.5"),
        new("a text that looks back -1 tokens", () => Writer().GenerateText("a", new GenerationOptions { RepetitionWindow = -1 }), "RepetitionWindow is -1"),
        new("a text that stops at nothing", () => Writer().GenerateText("a", new GenerationOptions { StopStrings = [""] }), "StopStrings[0]"),
        new("a text that stops at null", () => Writer().GenerateText("a", new GenerationOptions { StopStrings = null! }), "StopStrings"),
        new("a text after a character that is unknown", () => Writer().GenerateText("\u4E2D"), "\u4E2D"),
        new("generation into a column without a name", () => Bad.Ml.LanguageModels.GenerateText(Writer(), " "), "outputColumnName"),
        new("generation without a model", () => Bad.Ml.LanguageModels.GenerateText(null!), "model"),
        new("generation from numbers", () => Bad.Ml.LanguageModels.GenerateText(Writer(), "Written", "Target").Transform(Bad.View()), "'Target'", "Text"),
        new("generation from a column that is not there", () => Bad.Ml.LanguageModels.GenerateText(Writer(), "Written", "Prompt").Transform(Bad.View()), "'Prompt'"),
        new("a disposed perceptron scores", () => Gone("MlpBinary", model => Bad.Read(model.FindNetwork<BinaryNetworkTransformer>().Transform(Wide(model)))), "disposed"),
        new("a disposed perceptron is saved", () => Gone("MlpBinary", model => Bad.Ml.Model.Save(model, Bad.View().Schema, new MemoryStream())), "disposed"),
        new("a disposed perceptron shows weights", () => Gone("MlpBinary", model => model.Network().GetWeights("output.weight")), "disposed"),
        new("a disposed machine samples", () => Gone("Rbm", model => model.FindNetwork<RbmTransformer>().Sample(1, 1, 1)), "disposed"),
        new("a disposed autoencoder encodes", () => Gone("Autoencoder", model => model.FindNetwork<AutoencoderTransformer>().Encode(new float[model.Network().Architecture.InputCount])), "disposed"),
        new("a disposed forecaster forecasts", () => Gone("Forecast", model => model.Forecast(Enumerable.Repeat(1f, 20))), "disposed"),
        new("a disposed language model writes", () => Gone("LanguageModel", model => ((LanguageModelTransformer)model).GenerateText("a")), "disposed"),
        new("a disposed language model is evaluated", () => Gone("LanguageModel", model => Bad.Ml.LanguageModels.EvaluateContinuous((LanguageModelTransformer)model, Bad.View(rows => Array.ForEach(rows, row => row.Text = "abc")))), "disposed"),
        new("a disposed network of images starts another", () => Gone("CnnBinary", model => Bad.Cnn(o => o.InitialModel = model).Fit(Bad.View())), "disposed"),
        new("rows of a language model that come once", () => Bad.Language().Fit(Once()), "training data"),
        new("texts that come once", () => Bad.Recurrent("Text").Fit(Once()), "training data"),
        new("texts of a language model that grow", () => Bad.Language().Fit(Growing()), "training data"),
        new("a source that throws", () => Bad.Binary().Fit(Bad.Ml.Data.LoadFromEnumerable(Failing())), "the source has failed"),
    ];

    public static IEnumerable<object[]> Names => BadCase.NamesOf(Cases);

    [TestMethod]
    [Timeout(10_000)]
    [DynamicData(nameof(Names))]
    public void IsRefused(string name) => BadCase.Check(Cases, name);

    private static LanguageModelTransformer Writer() => (LanguageModelTransformer)Bad.Model("LanguageModel");

    private static void Damaged(Func<byte[], byte[]> damage) => Load(damage(File.ReadAllBytes(Bad.ModelPath("MlpBinary"))));

    private static void Without(string entry)
    {
        using var content = new MemoryStream();
        content.Write(File.ReadAllBytes(Bad.ModelPath("Autoencoder")));
        using (var zip = new ZipArchive(content, ZipArchiveMode.Update, leaveOpen: true))
            zip.Entries.Single(found => found.FullName.EndsWith(entry, StringComparison.Ordinal)).Delete();
        Load(content.ToArray());
    }

    private static void Load(byte[] bytes) => new MLContext().Model.Load(new MemoryStream(bytes), out _);

    private static void Gone(string name, Action<ITransformer> use)
    {
        var model = Bad.Ml.Model.Load(Bad.ModelPath(name), out _);
        (model as IDisposable)!.Dispose();
        use(model);
    }

    private static IDataView Wide(ITransformer model)
    {
        var builder = new ArrayDataViewBuilder(Bad.Ml);
        builder.AddColumn("Features", NumberDataViewType.Single, [new float[model.Network().Architecture.InputCount]]);
        return builder.GetDataView();
    }

    private static IDataView Once()
    {
        var rows = ((IEnumerable<BadRow>)BadRow.Create(24)).GetEnumerator();
        return Bad.Ml.Data.LoadFromEnumerable(Rest());

        IEnumerable<BadRow> Rest()
        {
            while (rows.MoveNext())
                yield return rows.Current;
        }
    }

    private static IDataView Growing()
    {
        var count = 10;
        return Bad.Ml.Data.LoadFromEnumerable(More());

        IEnumerable<BadRow> More()
        {
            foreach (var row in BadRow.Create(count++))
                yield return row;
        }
    }

    private static IEnumerable<BadRow> Failing()
    {
        foreach (var row in BadRow.Create(5))
            yield return row;
        throw new IOException("the source has failed");
    }
}
