using Microsoft.ML;

namespace MLExtensions.Tests.Images;

/// <summary>Weights of another program give its accuracy here, where the data is at hand.</summary>
[TestClass]
public sealed class PretrainedNetworkTests
{
    [TestMethod]
    public void ResNet20OnCifar10_HasItsKnownAccuracy()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromCifar10(DataFolder.PathOf("cifar10/cifar10_test_2k.bin.gz"));
        using var model = ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options
        {
            Depth = 20,
            PixelScaling = PixelScaling.ImageNet,
            InitialWeightsPath = DataFolder.PathOf("pretrained/cifar_resnet20.safetensors"),
            InitialWeightsMatch = WeightMatch.Strict,
            Epochs = 0,
            ThreadCount = 1,
        }).Fit(ml.Data.TakeRows(data, 10));
        Assert.AreEqual(0.8135, ml.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy, 0.001);
    }
}
