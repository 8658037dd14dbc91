using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tests.Features;
using MLExtensions.Tests.Loading;
using MLExtensions.Tests.Plotting;

namespace MLExtensions.Tests.BadInput;

/// <summary>Files and folders that are not what they should be are refused, by path, before training.</summary>
[TestClass]
public sealed class BadFileTests
{
    private static readonly BadCase[] Cases =
    [
        new("a model file that is not there", () => Bad.Ml.Model.Load("/nowhere/model.zip", out _), "model.zip"),
        new("weights that are not there", () => Bad.Binary(o => o.InitialWeightsPath = "/nowhere/w.safetensors").Fit(Bad.View()), "w.safetensors"),
        new("weights that are a folder", () => In(folder => Bad.Binary(o => o.InitialWeightsPath = folder.Path).Fit(Bad.View())), "mlextensions-"),
        new("weights that are empty", () => Weights([]), "w.safetensors"),
        new("weights of 7 bytes", () => Weights(new byte[7]), "w.safetensors"),
        new("weights with a header of nothing", () => Weights(Header("")), "w.safetensors"),
        new("weights with a header of 2^60 bytes", () => Weights([.. BitConverter.GetBytes(1L << 60), .. "{}"u8]), "w.safetensors"),
        new("weights with a negative header", () => Weights([.. BitConverter.GetBytes(-1L), .. "{}"u8]), "w.safetensors"),
        new("weights with a header that is a list", () => Weights(Header("[]")), "w.safetensors"),
        new("weights with a header that is null", () => Weights(Header("null")), "w.safetensors"),
        new("weights with a header that is deep", () => Weights(Header(new string('[', 5000))), "w.safetensors"),
        new("weights without a tensor", () => Weights(Header("{}")), "hidden.0.linear.weight"),
        new("weights of other names", () => Weights(Tensor("encoder", "F32", "[1]", 4), WeightMatch.Strict), "encoder"),
        new("weights of another shape", () => Weights(Tensor("hidden.0.linear.weight", "F32", "[1]", 4), WeightMatch.Partial), "hidden.0.linear.weight"),
        new("weights of an unknown type", () => Weights(Tensor("a", "F7", "[1]", 4)), "F7"),
        new("weights of a negative shape", () => Weights(Tensor("a", "F32", "[-1]", 4)), "shape of tensor 'a'"),
        new("weights of a shape that overflows", () => Weights(Tensor("a", "F32", "[4294967296,4294967296,4294967296]", 4)), "'a'"),
        new("weights beyond the end", () => Weights(Tensor("a", "F32", "[1000]", 4000)[..^3990]), "w.safetensors"),
        new("weights of text", () => Weights(Encoding.UTF8.GetBytes("This is not a tensor at all, but a sentence.")), "w.safetensors"),
        new("weights of PyTorch's pickle", () => Weights([0x50, 0x4B, 3, 4, .. new byte[100]]), "w.safetensors"),
        new("a forecaster from weights of a picture", () => In(folder => Bad.Forecaster(o => o.InitialWeightsPath = folder.Write("w.safetensors", "\x89PNG\r\n"u8.ToArray())).Fit(Bad.View())), "w.safetensors"),
        new("a language model from empty weights", () => In(folder => Bad.Language(o => o.InitialWeightsPath = folder.Write("w.safetensors", [])).Fit(Bad.View())), "w.safetensors"),
        new("a machine from weights of a perceptron", () => In(folder => Bad.Rbm(o => (o.HiddenLayers, o.InitialWeightsPath) = ([3], Saved(folder, "MlpBinary"))).Fit(Bad.View())), "w.safetensors"),
        new("an autoencoder from weights of a network of images", () => In(folder => Bad.Autoencoder(o => o.InitialWeightsPath = Saved(folder, "CnnBinary")).Fit(Bad.View())), "w.safetensors"),
        new("image features of nothing", () => Bad.Ml.Transforms.ImageFeatures("Codes", "Pixels", ""), "WeightsPath is empty"),
        new("image features of a file that is not there", () => Bad.Ml.Transforms.ImageFeatures("Codes", "Pixels", "nowhere.safetensors"), "nowhere.safetensors"),
        new("image features of a text", () => In(folder => Bad.Ml.Transforms.ImageFeatures("Codes", "Pixels", folder.Write("w.safetensors", "hello world"u8.ToArray()))), "w.safetensors"),
        new("image features of an unknown network", () => In(folder => Bad.Ml.Transforms.ImageFeatures("Codes", "Pixels", folder.Write("w.safetensors", Tensor("a", "F32", "[1]", 4)))), "w.safetensors"),
        new("image features of a layer that is not there", () => Features(o => o.Layer = "attention"), "attention", "classifier"),
        new("image features of a crop of 0", () => Features(o => o.CropSize = 0), "CropSize is 0"),
        new("image features of another shape", () => Features(o => o.ImageShape = new ImageShape(3, 100, 100)), "3 x 100 x 100"),
        new("image features of text", () => Features(o => o.InputColumnName = "Label"), "'Label'", "image"),
        new("image features of a column that is not there", () => Features(o => o.InputColumnName = "Photo"), "'Photo'"),
        new("image features without an output", () => Features(o => o.OutputColumnName = " "), "OutputColumnName is empty"),
        new("a checkpoint folder that is a file", () => In(folder => Bad.Binary(o => o.CheckpointFolder = folder.Write("file", [1])).Fit(Bad.View())), "CheckpointFolder", "file"),
        new("a checkpoint folder below a file", () => In(folder => Bad.Rbm(o => o.CheckpointFolder = Path.Combine(folder.Write("file", [1]), "deep")).Fit(Bad.View())), "CheckpointFolder", "deep"),
        new("a checkpoint folder of a language model that is a file", () => In(folder => Bad.Language(o => o.CheckpointFolder = folder.Write("file", [1])).Fit(Bad.View())), "CheckpointFolder"),
        new("a TensorBoard folder that is a file", () => In(folder => Bad.Forecaster(o => o.TensorBoardFolder = folder.Write("file", [1])).Fit(Bad.View())), "TensorBoardFolder", "file"),
        new("a checkpoint that is a folder", () => In(folder => Resume(folder, () => Directory.CreateDirectory(folder.File("c", "checkpoint.safetensors")))), "checkpoint.safetensors"),
        new("a checkpoint that is empty", () => In(folder => Resume(folder, () => folder.Write("c/checkpoint.safetensors", []))), "checkpoint.safetensors"),
        new("a checkpoint that is a text", () => In(folder => Resume(folder, () => folder.Write("c/checkpoint.safetensors", "hello, I am a checkpoint"u8.ToArray()))), "checkpoint.safetensors"),
        new("a checkpoint without a state", () => In(folder => Resume(folder, () => folder.Write("c/checkpoint.safetensors", Tensor("a", "F32", "[1]", 4)))), "checkpoint.safetensors"),
        new("a checkpoint of a model's weights", () => In(folder => Resume(folder, () => File.Move(Saved(folder, "MlpBinary"), folder.File("c", "checkpoint.safetensors")))), "checkpoint.safetensors"),
        new("a folder of the second machine that is a file", () => In(folder => Bad.Rbm(o => o.CheckpointFolder = Path.GetDirectoryName(folder.Write("c/layer2", [1]))!).Fit(Bad.View())), "CheckpointFolder", "layer2"),
        new("events of the second machine that are a file", () => In(folder => Bad.Rbm(o => o.TensorBoardFolder = Path.GetDirectoryName(folder.Write("c/layer2", [1]))!).Fit(Bad.View())), "TensorBoardFolder", "layer2"),
        new("a vocabulary that is no JSON", () => In(folder => Subwords(folder, "not json", "#version: 0.2\n")), "v.json"),
        new("a vocabulary that is a list", () => In(folder => Subwords(folder, "[]", "#version: 0.2\n")), "v.json"),
        new("a vocabulary of texts", () => In(folder => Subwords(folder, "{\"a\":\"b\"}", "#version: 0.2\n")), "v.json"),
        new("a vocabulary of two equal numbers", () => In(folder => Subwords(folder, "{\"a\":0,\"b\":0}", "#version: 0.2\n")), "v.json"),
        new("merges that are a picture", () => In(folder => Subwords(folder, "{\"a\":0}", "\x89PNG \0\0 a b c\n")), "m.txt"),
        new("an image that is not there", () => ImageFile.Load("/nowhere/cat.jpg"), "cat.jpg"),
        new("an image that is a folder", () => In(folder => ImageFile.Load(folder.Path)), "mlextensions-"),
        new("an image without a name", () => ImageFile.Load(" "), "path"),
        new("an image that is empty", () => In(folder => ImageFile.Load(folder.Write("cat.jpg", []))), "cat.jpg", "empty"),
        new("an image that is a text", () => In(folder => ImageFile.Load(folder.Write("cat.jpg", "meow"u8.ToArray()))), "cat.jpg", "not a valid image"),
        new("an image of a header only", () => In(folder => ImageFile.Load(folder.Write("cat.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))), "cat.png"),
        new("a bitmap of four billion pixels", () => In(folder => ImageFile.Load(folder.Write("cat.bmp", Bitmap(int.MaxValue, int.MaxValue)))), "cat.bmp"),
        new("a bitmap without pixels", () => In(folder => ImageFile.Load(folder.Write("cat.bmp", Bitmap(40_000, 40_000)))), "cat.bmp", "40000"),
        new("a photo whose EXIF ends in the middle", () => In(folder => ImageFile.Load(folder.Write("cat.jpg", [0xFF, 0xD8, 0xFF, 0xE1, 0x00, 0x20, .. "Exif\0\0MM\0*\0\0\0\x08\0\x01"u8]))), "cat.jpg"),
        new("an image folder that is not there", () => Bad.Ml.Data.LoadFromImageFolder("/nowhere/photos"), "photos"),
        new("an image folder that is a file", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(folder.Write("photos", [1]))), "photos"),
        new("an image folder of nothing", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(folder.Path)), "mlextensions-"),
        new("an image folder of files only", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(Path.GetDirectoryName(folder.Write("cat.jpg", [1]))!)), "mlextensions-"),
        new("an image folder of empty classes", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(Path.GetDirectoryName(Path.GetDirectoryName(folder.File("cat", "x"))!)!)), "mlextensions-"),
        new("an image folder with a height alone", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(Folder(folder), imageHeight: 8)), "imageWidth"),
        new("an image folder with a height of 0", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(Folder(folder), imageHeight: 0, imageWidth: 8)), "imageHeight is 0", "at least 1"),
        new("an image folder with bad handling", () => In(folder => Bad.Ml.Data.LoadFromImageFolder(Folder(folder), onBadImage: (BadImageHandling)9)), "onBadImage is 9"),
        new("an image folder of bad images only", () => In(folder => Bad.Cnn(o => (o.FeatureColumnName, o.LabelColumnName, o.ImageShape) = ("Image", "Label", null)).Fit(Bad.Ml.Data.LoadFromImageFolder(Folder(folder), 8, 8))), "no rows"),
        new("images of the first bytes of MNIST", () => In(folder => Bad.Ml.Data.LoadFromIdx(folder.Write("images.idx", DataFiles.IdxImages(2)[..9]))), "images.idx"),
        new("labels for images", () => In(folder => Bad.Ml.Data.LoadFromIdx(folder.Write("labels.idx", DataFiles.IdxLabels(1, 2)))), "labels.idx"),
        new("fewer labels than images", () => In(folder => Bad.Ml.Data.LoadFromIdx(folder.Write("i.idx", DataFiles.IdxImages(3)), folder.Write("l.idx", DataFiles.IdxLabels(1)))), "l.idx"),
        new("a label of class 9 of 3", () => In(folder => _ = Bad.Ml.Data.LoadFromIdx(folder.Write("i.idx", DataFiles.IdxImages(1)), folder.Write("l.idx", DataFiles.IdxLabels(9)), classCount: 3).GetColumn<uint>("Label").Count()), "l.idx", "9"),
        new("MNIST that is a damaged gzip", () => In(folder => Bad.Read(Bad.Ml.Data.LoadFromIdx(folder.Write("i.idx.gz", DataFiles.Gzip(DataFiles.IdxImages(100))[..40])))), "i.idx.gz"),
        new("CIFAR-10 without a file", () => Bad.Ml.Data.LoadFromCifar10(), "No path"),
        new("CIFAR-10 of another length", () => In(folder => Bad.Ml.Data.LoadFromCifar10(folder.Write("b.bin", DataFiles.Cifar(1, 2, 3, 4)[..100]))), "b.bin"),
        new("text lines of a file that is not there", () => Bad.Ml.Data.LoadFromTextLines("/nowhere/book.txt"), "book.txt"),
        new("text lines of no file", () => Bad.Ml.Data.LoadFromTextLines([], "Text"), "file"),
        new("text lines without a column name", () => In(folder => Bad.Ml.Data.LoadFromTextLines(folder.Write("b.txt", [65]), "")), "columnName"),
        new("weights saved to a folder", () => In(folder => Bad.Model("MlpBinary").Network().SaveWeights(folder.Path)), "mlextensions-"),
        new("weights saved below a file", () => In(folder => Bad.Model("MlpBinary").Network().SaveWeights(Path.Combine(folder.Write("file", [1]), "w.safetensors"))), "file"),
        new("a history drawn without a name", () => Bad.Model("MlpBinary").Network().History!.SavePng(""), "path"),
        new("a history drawn of 0 pixels", () => Bad.Model("MlpBinary").Network().History!.SavePng("h.png", 0, 0), "0"),
        new("filters drawn of another size", () => Bad.Model("Rbm").FindNetwork<RbmTransformer>().SaveFiltersPng("f.png", 1000, 1000), "1000"),
    ];

    public static IEnumerable<object[]> Names => BadCase.NamesOf(Cases);

    [TestMethod]
    [Timeout(10_000)]
    [DynamicData(nameof(Names))]
    public void IsRefused(string name) => BadCase.Check(Cases, name);

    private static void In(Action<TemporaryFolder> act)
    {
        using var folder = new TemporaryFolder();
        act(folder);
    }

    private static void Weights(byte[] content, WeightMatch match = WeightMatch.ExceptOutput) =>
        In(folder => Bad.Binary(o => (o.InitialWeightsPath, o.InitialWeightsMatch) = (folder.Write("w.safetensors", content), match)).Fit(Bad.View()));

    private static byte[] Header(string text) => [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Tensor(string name, string type, string shape, int bytes) =>
        [.. Header($"{{\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[0,{bytes}]}}}}"), .. new byte[bytes]];

    private static string Saved(TemporaryFolder folder, string model)
    {
        var path = folder.File("w.safetensors");
        Bad.Model(model).Network().SaveWeights(path);
        return path;
    }

    private static void Features(Action<ImageFeaturesEstimator.Options> change) => In(folder =>
    {
        var options = new ImageFeaturesEstimator.Options { InputColumnName = "Image", WeightsPath = FeatureSample.WriteWeights(folder, FeatureSample.Tiny()), Architecture = FeatureSample.Tiny() };
        change(options);
        Bad.Ml.Transforms.ImageFeatures(options).Fit(FeatureSample.View(Bad.Ml, FeatureSample.Create(2)));
    });

    private static void Resume(TemporaryFolder folder, Action write)
    {
        write();
        Bad.Binary(o => (o.CheckpointFolder, o.ResumeFromCheckpoint) = (Path.Combine(folder.Path, "c"), true)).Fit(Bad.View());
    }

    private static void Subwords(TemporaryFolder folder, string vocabulary, string merges) =>
        Bad.Language(o => o.Tokenization = Tokenization.Subwords(folder.Write("v.json", Encoding.Latin1.GetBytes(vocabulary)), folder.Write("m.txt", Encoding.Latin1.GetBytes(merges)))).Fit(Bad.View());

    private static byte[] Bitmap(int width, int height) =>
        [.. "BM"u8, .. BitConverter.GetBytes(100), .. new byte[4], .. BitConverter.GetBytes(54), .. BitConverter.GetBytes(40), .. BitConverter.GetBytes(width), .. BitConverter.GetBytes(height), 1, 0, 32, 0, .. new byte[24], .. new byte[46]];

    private static string Folder(TemporaryFolder folder)
    {
        folder.Write("cat/1.png", [1, 2, 3]);
        return folder.Path;
    }
}
